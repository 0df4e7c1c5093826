import { assert, assertEquals, assertRejects } from "@std/assert";
import { nullGuid } from "../../base/guid.ts";
import { GuestVm, mustSkip, readAll, readText } from "./guest_fixture.ts";

const ignore = await mustSkip("the guest's bridge");

function text(bytes: string): Uint8Array {
  return new TextEncoder().encode(bytes);
}

Deno.test({
  name: "containers outlive the bridge",
  ignore,
  fn: async () => {
    const vm = await GuestVm.start();
    try {
      await vm.create({ id: "live", args: ["sleep", "1000"] });
      const none = { stdin: false, stdout: false, stderr: false };
      const init = await vm.start("live", none);
      const lost = assertRejects(() => init.exited, Error, "bridge closed");
      await vm.reconnect();
      await lost;
      const { ProcessList } = await vm.guest.properties("live", [
        "ProcessList",
      ]);
      assertEquals(ProcessList, [{ ProcessId: init.pid }]);
      const process = await vm.exec("live", ["echo", "here"]);
      assertEquals(await readText(process.stdout), "here\n");
      await process.close();
      assertEquals(await process.exited, 0);
      // The container stays: the wait of the first host is still under way, and
      // its answer would surprise the second one.
    } finally {
      await vm.stop();
    }
  },
});

Deno.test({
  name: "the agent ends with the VM",
  ignore,
  fn: async () => {
    const vm = await GuestVm.start();
    try {
      assertEquals(await vm.shutDown(), 0);
    } finally {
      await vm.stop();
    }
  },
});

Deno.test({
  name: "the agent survives garbage on its bridge and comes back",
  ignore,
  fn: async () => {
    const vm = await GuestVm.start();
    try {
      const raw = await vm.raw();
      const frames = [
        text("this is no frame at all, but long enough for a header"),
        new Uint8Array(64),
        new Uint8Array(16).fill(0xff),
        frame(0x10100101, "{"),
      ];
      let { stream } = raw;
      for (const bytes of frames) {
        await stream.write(bytes).catch(() => {});
        await stream.closeWrite().catch(() => {});
        await readAll(stream).catch(() => {});
        await stream.close();
        stream = await raw.next();
      }
      await stream.write(frame(0x10100b01, negotiation));
      const buffer = new Uint8Array(65536);
      assert(await stream.read(buffer) !== null);
      for (const body of ["{", "[]", '{"ContainerConfig":7}', '"x"', ""]) {
        await stream.write(frame(0x10100101, body));
        assert(await stream.read(buffer) !== null, body);
      }
      await stream.close();
    } finally {
      await vm.stop();
    }
  },
});

const negotiation =
  `{"ContainerId":"","ActivityId":"${nullGuid}","MinimumVersion":4,"MaximumVersion":4}`;

/** A frame of the bridge. */
function frame(type: number, body: string): Uint8Array {
  const payload = text(body);
  const bytes = new Uint8Array(16 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, bytes.length, true);
  view.setBigUint64(8, 1n, true);
  bytes.set(payload, 16);
  return bytes;
}
