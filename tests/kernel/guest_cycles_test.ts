import { assertEquals } from "@std/assert";
import { GuestVm, mustSkip } from "./guest_fixture.ts";

const ignore = await mustSkip("cycles of containers");

const rounds = 300;

/** Rounds after which everything is compiled, and every buffer has its size. */
const warmUp = 100;

/** Bytes that the agent may grow by in the other rounds. */
const budget = 24 * 1024 * 1024;

/** Bytes of memory of a process that are its own. */
async function residentBytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const [, kib = "0"] = status.match(/^RssAnon:\s+(\d+) kB$/m) ?? [];
  return Number(kib) * 1024;
}

async function descriptors(pid: number): Promise<number> {
  const names = await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`));
  return names.length;
}

Deno.test({
  name: `${rounds} real containers come and go in flat memory`,
  ignore,
  timeout: 150_000,
}, async () => {
  const vm = await GuestVm.start();
  try {
    const container = { id: "one", args: ["true"] };
    const layers = await vm.layers(container);
    const change = (RequestType: string): Promise<void> =>
      vm.guest.modify({
        ResourceType: "CombinedLayers",
        RequestType,
        Settings: layers,
      });
    const agent = vm.pid;
    let [memory, open] = [0, 0];
    for (let round = 0; round < rounds; round++) {
      if (round === warmUp) {
        [memory, open] = await Promise.all([
          residentBytes(agent),
          descriptors(agent),
        ]);
      }
      if (round > 0) await change("Add");
      await vm.createOn(container, String(layers.ScratchPath));
      const init = await vm.start("one");
      await Promise.all([init.stdout!.close(), init.stderr!.close()]);
      assertEquals(await init.exited, 0);
      await init.close();
      await change("Remove");
      await vm.guest.deleteContainerState("one");
    }
    assertEquals(await vm.leftovers(), []);
    const grown = await residentBytes(agent) - memory;
    console.log(
      `${rounds} real containers: the agent has grown by ${grown} bytes`,
    );
    assertEquals(grown < budget, true, `${grown} bytes`);
    assertEquals(await descriptors(agent), open);
  } finally {
    await vm.stop();
  }
});
