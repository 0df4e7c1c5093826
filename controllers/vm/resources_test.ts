import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import { goldenCases } from "../testing/golden.ts";
import { evenMebibytes, VmResources } from "./resources.ts";

/** Peers that list what they are told, and refuse on demand. */
function peers(
  refuses?: "vm" | "guest",
): { told: Json[]; resources: VmResources } {
  const told: Json[] = [];
  const tell = (to: "vm" | "guest", request: Json): Promise<void> => {
    told.push({ to, request });
    return to === refuses
      ? Promise.reject(new ShimError("Internal", `${to} refuses`))
      : Promise.resolve();
  };
  return {
    told,
    resources: new VmResources({
      vm: { modify: (request) => tell("vm", request) },
      guest: { modify: (request) => tell("guest", { ...request }) },
    }),
  };
}

Deno.test("host:O1 memory comes in pairs of MiB, odd numbers are rounded up", () => {
  for (
    const [asked, given] of [
      [0n, 0n],
      [1n, 2n],
      [2n, 2n],
      [1025n, 1026n],
      [0xffff_ffff_ffff_fffdn, 0xffff_ffff_ffff_fffen],
    ] as const
  ) assertEquals(evenMebibytes(asked), given);
});

Deno.test("updateMemory() tells the host, then the guest, and neither after a refusal", async () => {
  const host = {
    ResourcePath: "VirtualMachine/ComputeTopology/Memory/SizeInMB",
    Settings: 2050n,
  };
  const guest = { RequestType: "Update", ResourceType: "PodCgroupMemoryLimit" };
  const both = peers();
  await both.resources.updateMemory(2049n);
  assertEquals(both.told, [
    { to: "vm", request: host },
    { to: "guest", request: guest },
  ]);
  const stubborn = peers("vm");
  await assertRejects(
    () => stubborn.resources.updateMemory(2n),
    ShimError,
    "vm refuses",
  );
  assertEquals(stubborn.told.length, 1);
  const deaf = peers("guest");
  await assertRejects(
    () => deaf.resources.updateMemory(2n),
    ShimError,
    "guest refuses",
  );
});

Deno.test("updateProcessors() passes 64-bit limits and leaves out what is not set", async () => {
  const it = peers();
  await it.resources.updateProcessors({ Limit: 0xffff_ffff_ffff_ffffn });
  await it.resources.updateProcessors({});
  assertEquals(it.told, [
    {
      to: "vm",
      request: {
        ResourcePath: "VirtualMachine/ComputeTopology/Processor/Limits",
        Settings: { Limit: 0xffff_ffff_ffff_ffffn },
      },
    },
    {
      to: "vm",
      request: {
        ResourcePath: "VirtualMachine/ComputeTopology/Processor/Limits",
        Settings: {},
      },
    },
  ]);
});

Deno.test("updateProcessorGroup() refuses an empty id before the host is asked", async () => {
  const it = peers();
  await assertRejects(
    () => it.resources.updateProcessorGroup(""),
    ShimError,
    "empty",
  );
  assertEquals(it.told, []);
  await it.resources.updateProcessorGroup("group");
  assertEquals(it.told.length, 1);
});

type Play = (it: VmResources, input: Record<string, Json>) => Promise<void>;

const plays: Readonly<Record<string, Play>> = {
  memory: (it, { sizeInMB = 0 }) => it.updateMemory(BigInt(Number(sizeInMB))),
  cpuLimits: (it, { limits }) => {
    const { Limit, Weight } = limits as { Limit?: bigint; Weight?: bigint };
    return it.updateProcessors({
      ...(Limit === undefined ? {} : { Limit: BigInt(Limit) }),
      ...(Weight === undefined ? {} : { Weight: BigInt(Weight) }),
    });
  },
  cpuGroup: (it, { id }) => it.updateProcessorGroup(String(id)),
  policyFragment: (it, { settings }) =>
    it.addPolicyFragment(settings as Record<string, string>),
};

/** Small 64-bit numbers and numbers are the same in JSON. */
function plain(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, part) => typeof part === "bigint" ? `${part}` : part,
  ).replaceAll(/"(\d+)"/g, "$1");
}

Deno.test("changes of a VM's resources are the recorded ones", async () => {
  const cases = await goldenCases("hcs-modify", ["resources", "guest"]);
  for (const { name, input, output } of cases ?? []) {
    const play = plays[String(input.op)];
    if (play === undefined) continue; // Other controllers' requests.
    const it = peers();
    await play(it.resources, input as Record<string, Json>);
    assertEquals(
      plain(it.told),
      plain((output.calls as Json[]).map((call) => {
        const { to, request } = call as { to: Json; request: Json };
        return { to, request };
      })),
      name,
    );
  }
});
