import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { nullGuid } from "../base/guid.ts";
import { openScripted as open, type ScriptedPeer } from "./scripted_peer.ts";

const notification = {
  ContainerId: "web",
  ActivityId: nullGuid,
  Type: "UnexpectedExit",
  Operation: "None",
  Result: 0,
};

const header = "0102 1020 ";
const hostile: Record<string, (guest: ScriptedPeer) => Promise<void>> = {
  "host:M8 guest:Q2 a notification for an unknown container": (guest) =>
    guest.send(0x30100101, 0, notification),
  "a notification that is not JSON": (guest) =>
    guest.send(0x30100101, 0, "nope"),
  "a notification of unknown type": (guest) =>
    guest.send(0x30100201, 0, notification),
  "a request": (guest) => guest.send(0x10100201, 1, {}),
  "a message of no class": (guest) => guest.send(0, 1, {}),
  "a response with an unknown id": (guest) =>
    guest.send(0x20100201, 77, { Result: 0 }),
  "a response of another type": (guest) =>
    guest.send(0x20100301, 1, { Result: 0 }),
  "a response that is not JSON": (guest) =>
    guest.send(0x20100201, 1, '{"Result":'),
  "an empty response": (guest) => guest.send(0x20100201, 1, ""),
  "a response of the wrong shape": (guest) =>
    guest.send(0x20100201, 1, { Result: "fine" }),
  "a Result beyond 32 bits": (guest) =>
    guest.send(0x20100201, 1, { Result: 0xc037010e }),
  "deeply nested JSON": (guest) =>
    guest.send(0x20100201, 1, `${"[".repeat(30_000)}1`),
  "a size of 0": (guest) =>
    guest.sendHex(`${header} 00000000 0100000000000000`),
  "a size of 15": (guest) =>
    guest.sendHex(`${header} 0f000000 0100000000000000`),
  "guest:Q5 a frame above 64 KiB": (guest) =>
    guest.sendHex(`${header} 01000100 0100000000000000`),
  "half a header": async (guest) => {
    await guest.sendHex("0102");
    await guest.stream.closeWrite();
  },
  "half a payload": async (guest) => {
    await guest.sendHex(`${header} 14000000 0100000000000000 7b`);
    await guest.stream.closeWrite();
  },
};
for (const [what, attack] of Object.entries(hostile)) {
  Deno.test(`${what} ends the bridge with an error, and fails the pending call`, async () => {
    const { connection, guest } = await open();
    const watch = connection.watchContainer("other");
    const call = connection.call("Start", "web", {});
    call.catch(() => {});
    await guest.receive();
    await attack(guest);
    const { error } = await connection.ended;
    assert(error instanceof ShimError);
    const failure = await assertRejects(() => call, ShimError);
    assertStringIncludes(failure.message, "bridge closed: ");
    assertEquals(failure.code, "Unavailable");
    await watch.terminated;
    assert(await guest.isEnded());
    await connection.close();
  });
}

Deno.test("a second answer to one call ends the bridge", async () => {
  const { connection, guest } = await open();
  const call = connection.call("Start", "web", {});
  const request = await guest.receive();
  await guest.answer(request);
  await guest.answer(request);
  assertEquals((await call).Result, 0);
  const { error } = await connection.ended;
  assertStringIncludes(error?.message ?? "", "not pending");
});
