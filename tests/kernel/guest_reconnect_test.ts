import { assertEquals } from "@std/assert";
import {
  GuestVm,
  listen,
  mustSkip,
  readText,
  readUntil,
} from "./guest_fixture.ts";

const ignore = await mustSkip("reconnects");

/** Port of the output of the first process with input and output. */
const outputPort = 0x4000_0002;

Deno.test({
  name:
    "the output of an init goes on at the host's port when its socket is lost, with what was sent before",
  ignore,
  timeout: 60_000,
}, async () => {
  const vm = await GuestVm.start();
  try {
    const container = {
      id: "one",
      args: ["sh", "-c", "echo a; read x; echo b"],
    };
    await vm.create(container);
    const stdio = { stdin: true, stdout: true, stderr: false };
    const init = await vm.start("one", stdio);
    await readUntil(init.stdout!, "a\n");
    await init.stdout!.close();
    const path = `${vm.folder}/${outputPort}`;
    const listener = listen(path);
    const again = listener.accept();
    await init.stdin!.write(new TextEncoder().encode("go\n"));
    const stream = await again;
    assertEquals(await readText(stream), "a\nb\n");
    await stream.close();
    await listener.close();
    await init.close();
    assertEquals(await init.exited, 0);
    await vm.remove(container);
    assertEquals(await vm.leftovers(), []);
  } finally {
    await vm.stop();
  }
});

Deno.test({
  name: "a kill ends a container whose output cannot reach the host any more",
  ignore,
  timeout: 60_000,
}, async () => {
  const vm = await GuestVm.start();
  try {
    const container = {
      id: "one",
      args: ["sh", "-c", "echo a; read x; echo b; exec sleep 1000"],
    };
    await vm.create(container);
    const stdio = { stdin: true, stdout: true, stderr: false };
    const init = await vm.start("one", stdio);
    await readUntil(init.stdout!, "a\n");
    await init.stdout!.close();
    await init.stdin!.write(new TextEncoder().encode("go\n"));
    await init.signal();
    assertEquals(await init.exited, 137);
    await init.close();
    await vm.remove(container);
    assertEquals(await vm.leftovers(), []);
  } finally {
    await vm.stop();
  }
});
