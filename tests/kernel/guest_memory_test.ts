import { assert, assertEquals } from "@std/assert";
import { nullGuid } from "../../base/guid.ts";
import { GuestVm, mustSkip } from "./guest_fixture.ts";
import { running } from "./guest_runs.ts";

const ignore = await mustSkip("memory of the agent");

const mib = 1024 * 1024;

/** The numbers of a line of the log. */
function numbersOf(line: string): { usage: number; limit: number } {
  const { memory } = JSON.parse(line);
  return { usage: Number(memory.usage), limit: Number(memory.limit) };
}

Deno.test({
  name:
    "the agent logs that its own memory crosses the threshold, and that pods are out of memory",
  ignore,
  timeout: 60_000,
}, async () => {
  const threshold = 192 * mib;
  const vm = await GuestVm.start(["-gcs-mem-limit-bytes", `${threshold}`]);
  const none = { stdin: false, stdout: false, stderr: false };
  try {
    // What processes of the VM use is the agent's.
    const process = await vm.guest.execute(nullGuid, {
      CommandArgs: [
        "dd",
        "if=/dev/zero",
        "of=/dev/shm/x",
        "bs=1M",
        "count=224",
      ],
      Environment: { PATH: "/bin:/usr/bin" },
    }, none);
    assertEquals(await process.exited, 0);
    const crossed = await vm.log.line("crossed its threshold");
    assert(numbersOf(crossed).usage > threshold, crossed);

    const limit = 64 * mib;
    await Deno.writeTextFile(
      vm.path("/sys/fs/cgroup/memory/pods/memory.limit_in_bytes"),
      `${limit}`,
    );
    const one = await running(vm, { id: "one" });
    const { code } = await one.shell(
      "echo 1000 > /proc/self/oom_score_adj; " +
        "exec dd if=/dev/zero of=/dev/null bs=128M count=1",
    );
    assertEquals(code, 137);
    const told = await vm.log.line("out of memory");
    assertEquals(numbersOf(told).limit, limit);
    await one.kill();
    assertEquals(await vm.leftovers(), []);
  } finally {
    const log = await vm.stop();
    assertEquals(log.includes("Cannot watch memory"), false, log);
  }
});
