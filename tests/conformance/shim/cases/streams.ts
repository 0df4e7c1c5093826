/** What goes into a process and comes out of it. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { CaseGroup } from "../case.ts";
import { Output } from "../output.ts";

const mebibyte = 1024 * 1024;

/** Bytes that a FIFO and one read of a client may still hold. */
const inFlight = 2 * 64 * 1024;

/** See the module. */
export const streams: CaseGroup = {
  name: "Streams",
  cases: [
    {
      name: "output and errors come apart",
      run: async (scene) => {
        const container = await scene.created({
          script: "echo out; echo err >&2",
        });
        const { stdout, stderr } = await container.toEnd();
        assertEquals([stdout, stderr], ["out\n", "err\n"]);
      },
    },
    {
      name: "8 MiB written just before the exit are there when Delete answers",
      run: async (scene) => {
        const container = await scene.created({
          script: "head -c 8388608 /dev/zero",
        });
        await container.toEnd();
        assertEquals(container.streams.stdout.bytes, 8 * mebibyte);
      },
    },
    {
      name: "output is complete, but for what the FIFO holds, before TaskExit",
      run: async (scene) => {
        const container = await scene.created({
          script: "head -c 8388608 /dev/zero",
        });
        const { stdout } = container.streams;
        const told = scene.world.book
          .until("/tasks/exit", container.id, "", scene.signal)
          .then(() => stdout.bytes);
        await container.start();
        const bytes = await told;
        assert(bytes >= 8 * mebibyte - inFlight, `${bytes} bytes had come`);
        await container.wait();
        await container.delete();
        await stdout.whole(scene.signal);
        assertEquals(stdout.bytes, 8 * mebibyte);
      },
    },
    {
      name: "output of a process that ends at once is complete, ten times",
      run: async (scene) => {
        const { container } = await scene.pod();
        for (let at = 0; at < 10; at++) {
          const id = scene.world.newId("e");
          const probe = await container.exec(id, `echo line ${at}`);
          assertEquals((await probe.toEnd()).stdout, `line ${at}\n`);
        }
      },
    },
    {
      name: "input arrives, and CloseIO ends it",
      run: async (scene) => {
        const container = await scene.running({
          script: "exec cat",
          stdin: true,
        });
        await container.write("hello\n");
        const { stdout } = container.streams;
        await stdout.until("hello\n", scene.signal);
        await container.closeInput();
        assertEquals((await container.wait()).exitStatus, 0);
      },
    },
    {
      name: "input of an exec arrives, and CloseIO ends it",
      run: async (scene) => {
        const { container } = await scene.pod();
        const id = scene.world.newId("e");
        const probe = await container.exec(id, "wc -c", { stdin: true });
        await probe.start();
        await probe.write("x".repeat(1000));
        await probe.closeInput();
        assertEquals((await probe.wait()).exitStatus, 0);
        await probe.delete();
        const text = await probe.streams.stdout.whole(scene.signal);
        assertEquals(text.trim(), "1000");
      },
    },
    {
      name: "4 MiB go in and come out whole",
      run: async (scene) => {
        const container = await scene.running({
          script: "exec cat",
          stdin: true,
        });
        const block = new Uint8Array(64 * 1024).fill(97);
        for (let at = 0; at < 64; at++) {
          await container.streams.stdin?.write(block);
        }
        await container.closeInput();
        await container.wait();
        await container.delete();
        await container.streams.stdout.whole(scene.signal);
        assertEquals(container.streams.stdout.bytes, 4 * mebibyte);
      },
    },
    {
      name: "a terminal has the size that ResizePty gave it",
      run: async (scene) => {
        const container = await scene.running({
          script: "while read line; do stty size; done",
          stdin: true,
          terminal: true,
        });
        const { stdout } = container.streams;
        await container.resize(101, 33);
        await container.write("\n");
        await stdout.until("33 101", scene.signal);
        await container.resize(88, 22);
        await container.write("\n");
        assertStringIncludes(
          await stdout.until("22 88", scene.signal),
          "22 88",
        );
      },
    },
    {
      name: "a terminal's output comes over the one stream, errors included",
      run: async (scene) => {
        const container = await scene.created({
          script: "test -t 0 && tty && echo oops >&2",
          stdin: true,
          terminal: true,
        });
        const { code, stdout } = await container.toEnd();
        assertEquals([code, stdout], [0, "/dev/pts/0\r\noops\r\n"]);
      },
    },
    {
      name: "an exec has a terminal of its own",
      run: async (scene) => {
        const { container } = await scene.pod();
        const id = scene.world.newId("e");
        const probe = await container.exec(id, "test -t 1 && echo yes", {
          stdin: true,
          terminal: true,
        });
        assertEquals((await probe.toEnd()).stdout, "yes\r\n");
      },
    },
    {
      name: "a process whose output nobody wants can write all the same",
      run: async (scene) => {
        const script = "head -c 1000000 /dev/zero && echo done >&2";
        const container = await scene.created({ script, none: true });
        await container.start();
        assertEquals((await container.wait()).exitStatus, 0);
      },
    },
    {
      name: "output goes to a log file that the client names",
      run: async (scene) => {
        const path = `${scene.world.dir}/${scene.world.newId("log")}`;
        const container = await scene.created({
          script: "echo out; echo err >&2",
          log: `file://${path}`,
        });
        await container.start();
        await container.wait();
        await container.delete();
        const lines = (await Deno.readTextFile(path)).trim().split("\n");
        assertEquals(lines.toSorted(), ["err", "out"]);
      },
    },
    {
      name: "a client that does not read hinders neither Kill nor Delete",
      run: async (scene) => {
        const container = await scene.running({
          script: "exec head -c 100000000 /dev/zero",
          reads: false,
        });
        await container.kill(9);
        assertEquals((await container.wait()).exitStatus, 137);
        container.streams.stdout.read();
        await container.delete();
      },
    },
    {
      name:
        "a reader that leaves does not end the process, the next one goes on",
      run: async (scene) => {
        const container = await scene.running({
          script: "while read line; do echo $line; done",
          stdin: true,
        });
        const { stdout } = container.streams;
        await container.write("one\n");
        await stdout.until("one\n", scene.signal);
        await stdout.close();
        const second = Output.again(stdout.path);
        scene.defer(() => second.close());
        await container.write("two\n");
        assertStringIncludes(
          await second.until("two\n", scene.signal),
          "two\n",
        );
      },
    },
  ],
};
