import { assert, assertEquals } from "@std/assert";
import { HResult } from "../../base/hresult.ts";
import { assertHResult, guestTest } from "./guest_case.ts";
import { readAll, readText, readUntil } from "./guest_fixture.ts";

const all = { stdin: true, stdout: true, stderr: true };
const terminal = { stdin: true, stdout: true, stderr: false };

function text(bytes: string): Uint8Array {
  return new TextEncoder().encode(bytes);
}

guestTest("output of processes that exit at once is complete", async (vm) => {
  const container = { id: "quick", args: ["sleep", "1000"] };
  await vm.create(container);
  const init = await vm.start("quick");
  for (let i = 0; i < 20; i++) {
    const process = await vm.exec("quick", ["echo", `line ${i}`]);
    assertEquals(await readText(process.stdout), `line ${i}\n`);
    await process.close();
    assertEquals(await process.exited, 0);
  }
  const burst = await vm.exec("quick", ["sh", "-c", "yes | head -c 8388608"]);
  const bytes = await readAll(burst.stdout);
  assertEquals(bytes.length, 8388608);
  assert(bytes.every((byte, i) => byte === (i % 2 === 0 ? 0x79 : 0x0a)));
  await burst.close();
  assertEquals(await burst.exited, 0);
  await init.signal();
  await init.close();
  assertEquals(await init.exited, 137);
  await vm.remove(container);
});

guestTest(
  "8 MiB go through stdin and stdout unchanged, to the end of input",
  async (vm) => {
    const container = { id: "cat", args: ["cat"] };
    await vm.create(container);
    const init = await vm.start("cat", all);
    const chunk = crypto.getRandomValues(new Uint8Array(65536));
    const read = readAll(init.stdout);
    for (let i = 0; i < 128; i++) await init.stdin!.write(chunk);
    await init.closeStdin();
    const bytes = await read;
    assertEquals(bytes.length, 128 * chunk.length);
    for (let i = 0; i < 128; i++) {
      const part = bytes.subarray(i * chunk.length, (i + 1) * chunk.length);
      assert(part.every((byte, at) => byte === chunk[at]));
    }
    await init.close();
    assertEquals(await init.exited, 0);
    await vm.remove(container);
  },
);

guestTest("a process can open its own output by name", async (vm) => {
  const script = "echo out > /dev/stdout; echo err > /dev/stderr";
  const container = {
    id: "byname",
    args: [
      "sh",
      "-c",
      `ln -s /proc/self/fd/1 /dev/stdout 2>/dev/null; ` +
      `ln -s /proc/self/fd/2 /dev/stderr 2>/dev/null; ${script}`,
    ],
  };
  await vm.create(container);
  const init = await vm.start("byname");
  const output = await Promise.all([
    readText(init.stdout),
    readText(init.stderr),
  ]);
  assertEquals(output, ["out\n", "err\n"]);
  await init.close();
  assertEquals(await init.exited, 0);
  await vm.remove(container);
});

guestTest(
  "a container without a reader of its output reads nothing and can write",
  async (vm) => {
    const container = {
      id: "deaf",
      args: ["sh", "-c", "cat; seq 100000 || exit 7; echo x >&2 || exit 8"],
    };
    await vm.create(container);
    const none = { stdin: false, stdout: false, stderr: false };
    const init = await vm.start("deaf", none);
    assertEquals(await init.exited, 0);
    await vm.remove(container);
  },
);

guestTest(
  "an exit is told although a grandchild holds the output",
  async (vm) => {
    const container = { id: "daemon", args: ["sleep", "1000"] };
    await vm.create(container);
    const init = await vm.start("daemon");
    const process = await vm.exec(
      "daemon",
      ["sh", "-c", "sleep 500 & echo started"],
    );
    assertEquals(await readText(process.stdout), "started\n");
    await process.close();
    assertEquals(await process.exited, 0);
    await init.signal();
    await init.close();
    await init.exited;
    await vm.remove(container);
  },
);

guestTest(
  "terminals carry both directions, their size, and end with their process",
  async (vm) => {
    const container = { id: "tty", args: ["sh"], terminal: true };
    await vm.create(container);
    const init = await vm.start("tty", terminal);
    await init.resize(101, 33);
    await init.stdin!.write(text("stty size; echo rea''dy\n"));
    assert((await readUntil(init.stdout!, "ready")).includes("33 101"));
    const process = await vm.exec("tty", ["sh"], terminal, { terminal: true });
    await process.resize(77, 22);
    await process.stdin!.write(text("stty size; exit 4\n"));
    const output = await readText(process.stdout);
    assert(output.includes("22 77"), output);
    await process.close();
    assertEquals(await process.exited, 4);
    await init.resize(50, 10);
    await init.stdin!.write(text("stty size; exit 5\n"));
    const rest = await readText(init.stdout);
    assert(rest.includes("10 50"), rest);
    await init.close();
    assertEquals(await init.exited, 5);
    await init.resize(1, 1);
    await vm.remove(container);
  },
);

guestTest("a process without a terminal cannot be resized", async (vm) => {
  const container = { id: "plain", args: ["sleep", "1000"] };
  await vm.create(container);
  const init = await vm.start("plain");
  await assertHResult(() => init.resize(1, 1), HResult.Fail);
  await init.signal();
  await init.close();
  await init.exited;
  await vm.remove(container);
});

guestTest(
  "many processes at once keep their output and their exit codes apart",
  async (vm) => {
    const container = { id: "many", args: ["sleep", "1000"] };
    await vm.create(container);
    const init = await vm.start("many");
    await Promise.all(Array.from({ length: 24 }, async (_, i) => {
      const script = `yes ${i} | head -c 200000; exit ${i}`;
      const process = await vm.exec("many", ["sh", "-c", script]);
      const output = await readText(process.stdout);
      assertEquals(output.length, 200000);
      assert(new RegExp(`^(${i}\n)+\\d*\n?$`).test(output));
      await process.close();
      assertEquals(await process.exited, i);
    }));
    await init.signal();
    await init.close();
    assertEquals(await init.exited, 137);
    await vm.remove(container);
  },
);
