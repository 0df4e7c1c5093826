import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { ErrnoError } from "../../ffi/linux/errno.ts";
import {
  DeviceMapper,
  type DeviceMapperPorts,
  linearTarget,
  verityTarget,
} from "./device_mapper.ts";

/** A kernel that fails when `refuse` says so. */
function fake(
  refuse: (call: string) => Error | undefined = () => undefined,
): { calls: string[]; clock: FakeClock; mapper: DeviceMapper } {
  const calls: string[] = [];
  const note = (call: string): void => {
    calls.push(call);
    const error = refuse(call);
    if (error !== undefined) throw error;
  };
  const ports: DeviceMapperPorts = {
    call({ command, name, readOnly, targets = [] }) {
      const table = targets.map(({ type }) => ` ${type}`).join("");
      note(`${command} ${name}${table}${readOnly ? " ro" : ""}`);
      return { device: 0xfd00n };
    },
    makeNode: async (path, device) => await note(`node ${path} ${device}`),
    removeNode: async (path) => await note(`remove ${path}`),
  };
  const clock = new FakeClock();
  return { calls, clock, mapper: new DeviceMapper(clock, 5000, ports) };
}

const numbers = { EACCES: 13, EBUSY: 16, ENOENT: 2, ENODEV: 19, ENXIO: 6 };

function failure(name: keyof typeof numbers): ErrnoError {
  return new ErrnoError(numbers[name], "Cannot");
}

const linear = linearTarget("/dev/sda", 1024n, 4096n);
const undo = ["remove /dev/mapper/x", "remove x"];

Deno.test("a device is made, loaded, resumed and given a node", async () => {
  const { calls, mapper } = fake();
  const path = await mapper.create("x", [linear], { readOnly: true });
  assertEquals(path, "/dev/mapper/x");
  assertEquals(calls, [
    "create x",
    "load x linear ro",
    "suspend x ro",
    "node /dev/mapper/x 64768",
  ]);
});

Deno.test("guest:O7 a busy device is removed at the second attempt; a refusal is told at once", async () => {
  let busy = 1;
  const { calls, clock, mapper } = fake((call) =>
    call === "remove x" && busy-- > 0 ? failure("EBUSY") : undefined
  );
  const removed = mapper.remove("x");
  await clock.advance(10);
  await removed;
  assertEquals(calls, [...undo, "remove x"]);
  const denied = failure("EACCES");
  const other = fake((call) => call === "remove x" ? denied : undefined);
  assertEquals(await assertRejects(() => other.mapper.remove("x")), denied);
  assertEquals(other.calls, undo);
});

Deno.test("a device that stays busy is told after ten attempts; one that is gone is a success", async () => {
  const busy = fake((call) =>
    call === "remove x" ? failure("EBUSY") : undefined
  );
  const removed = assertRejects(
    () => busy.mapper.remove("x"),
    ErrnoError,
    "EBUSY",
  );
  await busy.clock.advance(90);
  await removed;
  assertEquals(busy.calls.length, 11);
  const gone = fake((call) =>
    call === "remove x" ? failure("ENXIO") : undefined
  );
  await gone.mapper.remove("x");
});

Deno.test("guest:O8 making a device is tried again while those below are not ready", async () => {
  for (const name of ["EBUSY", "ENOENT", "ENXIO", "ENODEV"] as const) {
    let left = 1;
    const { calls, clock, mapper } = fake((call) =>
      call.startsWith("load") && left-- > 0 ? failure(name) : undefined
    );
    const made = mapper.create("x", [linear]);
    await clock.advance(100);
    assertEquals(await made, "/dev/mapper/x");
    assertEquals(calls, [
      "create x",
      "load x linear",
      ...undo,
      "create x",
      "load x linear",
      "suspend x",
      "node /dev/mapper/x 64768",
    ]);
  }
});

Deno.test("making a device ends at its bound, with a refusal, and with the agent", async () => {
  const never = fake(() => failure("ENXIO"));
  const late = assertRejects(() => never.mapper.create("x", []), ErrnoError);
  await never.clock.advance(5000);
  assertEquals((await late).errno, "ENXIO");
  const denied = fake((call) =>
    call.startsWith("node") ? failure("EACCES") : undefined
  );
  await assertRejects(
    () => denied.mapper.create("x", [linear]),
    ErrnoError,
    "EACCES",
  );
  assertEquals(denied.calls.slice(-2), undo);
  const quit = new AbortController();
  const ended = assertRejects(
    () => never.mapper.create("x", [], { signal: quit.signal }),
    Error,
    "the VM ends",
  );
  while (never.clock.sleepers === 0) await never.clock.advance(0);
  quit.abort(new Error("the VM ends"));
  await ended;
});

Deno.test("tables count in sectors, and name the hashes behind the data", () => {
  assertEquals(linear, {
    start: 0n,
    length: 8n,
    type: "linear",
    parameters: "/dev/sda 2",
  });
  const info = {
    hashType: 1,
    blockSize: 4096,
    dataBlocks: 256n,
    algorithm: "sha256",
    rootDigest: "ab",
    salt: "",
  };
  const { length, parameters } = verityTarget("/dev/sda", info);
  assertEquals(length, 2048n);
  const table = "1 /dev/sda /dev/sda 4096 4096 256 257 sha256 ab -";
  assertEquals(parameters, table);
});
