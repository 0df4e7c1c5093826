import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { silentLogger } from "../../base/log.ts";
import { openFifo } from "../../ffi/linux/fifo.ts";
import { mkfifo } from "../../ffi/linux/files.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { kill } from "../../ffi/linux/process.ts";
import { programRunner } from "../program.ts";
import { Reaper } from "../../ffi/linux/reaper.ts";
import { NetworkInterfaces } from "./interface_name.ts";
import { KernelNetwork } from "./kernel.ts";

Deno.test.beforeAll(() => void libc());

const ignore = Deno.uid() !== 0;
if (ignore) console.log("skip: the kernel's network: needs root");

/** The network of this machine, and a DHCP client that is a script. */
async function withClient(
  script: string,
  test: (lab: {
    readonly network: KernelNetwork;
    readonly clock: FakeClock;
    /**
     * Resolves with what the client writes to `$0.out`; throws why there was no
     * client.
     */
    readonly output: (asking: Promise<void>) => Promise<string>;
  }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const program = `${folder}/udhcpc`;
  await Deno.writeTextFile(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const reaper = new Reaper({ log: silentLogger, orphans: false });
  reaper.start();
  // A signal listener alone does not keep the event loop waiting.
  const alive = setInterval(() => {}, 1000);
  const clock = new FakeClock();
  const run = programRunner({
    reaper,
    kill,
    clock,
    timeout: 120_000,
    env: { PATH: `${folder}:/usr/bin:/bin` },
  });
  const network = new KernelNetwork({
    run,
    dhcpLimit: 30_000,
    interfaces: new NetworkInterfaces(clock, 5000),
  });
  mkfifo(`${program}.out`);
  const output = async (asking: Promise<void>): Promise<string> => {
    const fifo = await openFifo(`${program}.out`, "stdin");
    const buffer = new Uint8Array(64);
    try {
      const ended = asking.then(() => null);
      const n = await Promise.race([fifo.read(buffer), ended]);
      return new TextDecoder().decode(buffer.subarray(0, n ?? 0));
    } finally {
      await fifo.close();
    }
  };
  try {
    await test({ network, clock, output });
    assertEquals(reaper.waiting, 0);
  } finally {
    network.vm.release();
    network.vm.release();
    reaper.stop();
    clearInterval(alive);
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "a DHCP client without an answer is killed after its limit",
  ignore,
}, () =>
  withClient(
    "echo $$ >$0.out; exec sleep 1000",
    async ({ network, clock, output }) => {
      const { signal } = new AbortController();
      const asking = network.vm.dhcp("eth0", signal);
      const pid = (await output(asking)).trim();
      await clock.advance(29_999);
      assert((await Deno.stat(`/proc/${pid}`)).isDirectory);
      await clock.advance(1);
      const error = await assertRejects(
        () => asking,
        ShimError,
        'Cannot configure network interface "eth0": no answer to DHCP within ' +
          "30000 ms",
      );
      assertEquals(error.code, "DeadlineExceeded");
      await assertRejects(() => Deno.stat(`/proc/${pid}`));
    },
  ));

Deno.test({
  name: "a DHCP client ends with the signal of its caller",
  ignore,
}, () =>
  withClient(
    "echo $$ >$0.out; exec sleep 1000",
    async ({ network, clock, output }) => {
      const abort = new AbortController();
      const asking = network.vm.dhcp("eth0", abort.signal);
      const pid = (await output(asking)).trim();
      abort.abort(new ShimError("Aborted", "the adapter was removed"));
      await assertRejects(() => asking, ShimError, "was removed");
      await assertRejects(() => Deno.stat(`/proc/${pid}`));
      assertEquals(clock.sleepers, 0);
    },
  ));

Deno.test({
  name: "the namespace of a process is held until it is released",
  ignore,
}, () =>
  withClient("exit 0", async ({ network }) => {
    const child = new Deno.Command("unshare", {
      args: ["--net", "cat"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    const reader = child.stdout.getReader();
    await writer.write(new TextEncoder().encode("\n"));
    await reader.read(); // the namespace is there
    const place = network.hold(child.pid);
    await writer.close();
    await reader.cancel();
    await child.status;
    {
      using stack = place.open();
      assertEquals(stack.link("lo").index, 1);
    }
    await place.dhcp("lo", new AbortController().signal);
    place.release();
    place.release();
    assertThrows(() => place.open(), ShimError, "has been released");
    const error = assertThrows(() => network.hold(0x7fff_fff0), ShimError);
    assertEquals(error.code, "NotFound");
  }));

Deno.test({
  name: "a process without a namespace of its own has that of the VM",
  ignore,
}, () =>
  withClient("exit 0", ({ network }) => {
    assert(network.hold(Deno.pid) === network.vm);
    using stack = network.vm.open();
    assertEquals(stack.link("lo").index, 1);
    return Promise.resolve();
  }));
