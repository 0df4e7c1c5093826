import { assertEquals } from "@std/assert";
import { memoryPair } from "../../base/duplex.ts";
import { silentLogger as log } from "../../base/log.ts";
import {
  classOf,
  messageClass,
  requestTypes,
} from "../../bridge/message_types.ts";
import { ScriptedPeer } from "../../bridge/scripted_peer.ts";
import { GuestBridge } from "../../bridge/server.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { withFakeVm } from "../../guest/fake_vm.ts";

// It stays loaded for the life of the process.
Deno.test.beforeAll(() => void libc());

const waits = 10_000;

Deno.test("ten thousand waits for one process keep nobody from being served, and all hear of its end", async () => {
  await withFakeVm(async (vm) => {
    await vm.create({ id: "web" });
    const ProcessId = await vm.execute("web", {});
    const bridge = new GuestBridge(vm.handlers, { log, clock: vm.clock });
    vm.host.attach(bridge);
    const [host, guest] = memoryPair();
    const served = bridge.serve(guest);
    const peer = new ScriptedPeer(host);
    const target = { ContainerId: "web", ActivityId: "" };
    await peer.send(requestTypes.NegotiateProtocol, 0, {
      ...target,
      MinimumVersion: 4,
      MaximumVersion: 4,
    });
    await peer.receive();
    const wait = { ...target, ProcessId, TimeoutInMs: 0xffff_ffff };
    for (let id = 1; id <= waits; id++) {
      await peer.send(requestTypes.WaitForProcess, id, wait);
    }
    await peer.send(requestTypes.DumpStacks, waits + 1, target);
    const dump = await peer.receive();
    assertEquals([dump.id, dump.body["Result"]], [BigInt(waits + 1), 0]);
    const init = vm.runtime.init("web");
    vm.runtime.kill(ProcessId, 9);
    await init.close();
    const answered = new Set<bigint>();
    while (answered.size < waits) {
      const { type, id, body } = await peer.receive();
      if (classOf(type) !== messageClass.response) continue;
      assertEquals(body["ExitCode"], 137);
      answered.add(id);
    }
    await host.close();
    await served;
    await vm.delete("web");
  });
});
