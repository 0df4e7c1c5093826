/** Nothing that a host or a guest sends crashes or hangs the other side of the bridge. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Duplex, memoryPair } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import { nullGuid } from "../../base/guid.ts";
import { silentLogger as log } from "../../base/log.ts";
import { limits } from "../../base/timeouts.ts";
import { GuestConnection } from "../../bridge/connection.ts";
import { fakeHandlers } from "../../bridge/fake_handlers.ts";
import { encodeFrame, FrameReader } from "../../bridge/frames.ts";
import { BridgeGuest } from "../../bridge/guest.ts";
import {
  containerNotificationType,
  requestTypes,
  responseType,
} from "../../bridge/message_types.ts";
import { ScriptedPeer } from "../../bridge/scripted_peer.ts";
import { GuestBridge } from "../../bridge/server.ts";

/** About a second each; a run that does not end in time hangs. */
const runs = { numRuns: 4000, timeout: 2000 };

const types = Object.values(requestTypes);

/** JSON from well formed messages to anything. */
const payload: fc.Arbitrary<string> = fc.oneof(
  fc.record({
    Result: fc.oneof(fc.constant(0), fc.integer(), fc.double(), fc.string()),
    ContainerId: fc.oneof(fc.constantFrom("web", nullGuid), fc.jsonValue()),
    ActivityId: fc.oneof(fc.constantFrom(nullGuid, ""), fc.jsonValue()),
    ErrorMessage: fc.string({ maxLength: 200 }),
    ErrorRecords: fc.array(fc.jsonValue(), { maxLength: 2 }),
    Version: fc.constantFrom(4, 4, 5),
    Capabilities: fc.oneof(
      fc.constant({ GuestDefinedCapabilities: {} }),
      fc.jsonValue(),
    ),
    MinimumVersion: fc.constantFrom(4, 0),
    MaximumVersion: fc.constantFrom(4, 9),
    ProcessId: fc.oneof(fc.nat(200), fc.integer()),
    ExitCode: fc.integer(),
    Properties: fc.oneof(fc.json(), fc.string()),
    Query: fc.oneof(fc.json(), fc.string()),
    Settings: fc.jsonValue(),
    Request: fc.jsonValue(),
  }, { requiredKeys: [] }).map((value) => JSON.stringify(value)),
  fc.json(),
  fc.string(),
  fc.constantFrom("", "null", "[".repeat(5000), "\uFEFF{}", "{}\n"),
);

/** Frames whose types come from `types`, or from nowhere. */
function frame(types: readonly number[]): fc.Arbitrary<Uint8Array> {
  return fc.record({
    type: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...types) },
      { weight: 1, arbitrary: fc.nat(0xffffffff) },
    ),
    id: fc.oneof(
      { weight: 9, arbitrary: fc.bigInt(0n, 6n) },
      { weight: 1, arbitrary: fc.bigInt(0n, 2n ** 64n - 1n) },
    ),
    payload,
    size: fc.option(fc.oneof(fc.nat(100), fc.nat(0xffffffff)), { freq: 19 }),
  }).map(({ type, id, payload, size }) => {
    const options = { limit: 2 ** 31, lineFeed: false };
    const bytes = encodeFrame(type, id, payload, options);
    if (size !== null) new DataView(bytes.buffer).setUint32(4, size, true);
    return bytes;
  });
}

/** What one side sends, in pieces. */
function traffic(types: readonly number[]): fc.Arbitrary<Uint8Array[]> {
  return fc.array(
    fc.oneof(
      { weight: 9, arbitrary: frame(types) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) },
    ),
    { maxLength: 20 },
  );
}

/** Sends until the other side is gone. */
async function send(stream: Duplex, pieces: Uint8Array[]): Promise<void> {
  for (const piece of pieces) await stream.write(piece).catch(() => {});
}

/** Reads whole frames until the other side is gone. */
async function drain(stream: Duplex, limit: number): Promise<void> {
  const reader = new FrameReader(stream, limit);
  while (await reader.next() !== undefined);
}

const toHost = [
  ...types.map(responseType),
  ...types.map(responseType),
  containerNotificationType,
  0x10100201,
];

Deno.test("whatever a guest sends, the host's calls and waits end with classified errors", async () => {
  await fc.assert(
    fc.asyncProperty(fc.boolean(), traffic(toHost), async (polite, pieces) => {
      const [ours, theirs] = memoryPair();
      const peer = new ScriptedPeer(theirs);
      const opening = GuestConnection.open(ours, { log });
      const outcome = opening.then(async (connection) => {
        const guest = new BridgeGuest(
          connection,
          () => Promise.reject(new ShimError("Unavailable", "no ports")),
        );
        const document = {
          SchemaVersion: { Major: 2, Minor: 1 },
          OciBundlePath: "",
          OciSpecification: {},
          ScratchDirPath: "",
        };
        const nothing = { stdin: false, stdout: false, stderr: false };
        const results = await Promise.allSettled([
          guest.createContainer("web", document).then((web) => web.terminated),
          guest.execute("web", {}, nothing).then(({ exited }) => exited),
          guest.properties("web", ["Statistics"]),
          guest.modify({ ResourceType: "Network", RequestType: "Add" }),
          connection.ended,
        ]);
        await connection.close();
        return results;
      });
      outcome.catch(() => {});
      if (polite) await peer.welcome();
      await send(theirs, pieces);
      await theirs.closeWrite();
      await drain(theirs, limits.hostFrame);
      try {
        for (const result of await outcome) {
          assert(
            result.status === "fulfilled" || result.reason instanceof ShimError,
          );
        }
      } catch (error) {
        assert(error instanceof ShimError, String(error));
      }
    }),
    runs,
  );
});

Deno.test("whatever a host sends, the guest sends only frames that hosts accept, and serves the next connection", async () => {
  const bridge = new GuestBridge(
    fakeHandlers({
      Start: () => Promise.resolve(),
      DumpStacks: () => Promise.resolve({ GuestStacks: "x".repeat(70_000) }),
      GetProperties: ({ Query }) => Promise.resolve({ Properties: Query }),
      SignalProcess: () => {
        throw new TypeError("a fault");
      },
    }),
    { log },
  );
  const connect = (): { stream: Duplex; served: Promise<unknown> } => {
    const [stream, ours] = memoryPair();
    return { stream, served: bridge.serve(ours) };
  };
  await fc.assert(
    fc.asyncProperty(traffic(types), async (pieces) => {
      const rude = connect();
      const drained = drain(rude.stream, limits.guestFrame);
      await send(rude.stream, pieces);
      await rude.stream.closeWrite();
      await drained;
      await rude.served;
      await rude.stream.close();

      const { stream, served } = connect();
      const connection = await GuestConnection.open(stream, { log });
      const reply = await connection.call("Start", "web", {});
      assertEquals(reply.Result, 0);
      const { GuestStacks } = await connection.call("DumpStacks", nullGuid, {});
      assert(GuestStacks.length > 10_000);
      await connection.close();
      await served;
    }),
    { ...runs, numRuns: 2000 },
  );
});
