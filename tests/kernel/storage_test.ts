import { assert } from "@std/assert";
import { findProgram } from "../../guest/runtime/detect.ts";

const cases = new URL("./storage_cases.ts", import.meta.url).pathname;

const miscDevices = await Deno.readTextFile("/proc/misc");
const fileSystems = await Deno.readTextFile("/proc/filesystems");
const search = Deno.env.get("PATH") ?? "";

/** What a case may need, and whether it is here. */
const needs = {
  "root rights": Deno.uid() === 0,
  "a device mapper in the kernel": miscDevices.includes("device-mapper"),
  "9p in the kernel": /\t9p$/m.test(fileSystems),
  "no 9p in the kernel": !/\t9p$/m.test(fileSystems),
  "mkfs.xfs": await findProgram("mkfs.xfs", search) !== undefined,
  "cryptsetup": await findProgram("cryptsetup", search) !== undefined,
} as const;

type Need = keyof typeof needs;

/** Runs a case in a mount namespace of its own. */
async function runCase(name: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("unshare", {
    args: [
      ...["--mount", "--propagation", "private", Deno.execPath(), "run"],
      ...["-q", "-A", "--no-check", "--cached-only", cases, name],
    ],
    env: { NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
}

/** A test with the real kernel. What is missing here is printed. */
function kernelTest(
  name: string,
  label: string,
  ...needed: readonly Need[]
): void {
  const missing = (["root rights", ...needed] satisfies Need[])
    .filter((need) => !needs[need]);
  const ignore = missing.length > 0;
  if (ignore) console.log(`skip: ${name}: needs ${missing.join(", ")}`);
  Deno.test({ name, ignore, fn: () => runCase(label) });
}

kernelTest(
  "guest:O6 mapped devices have the size of their sectors, refuse what they are for, and go",
  "mapper",
  "a device mapper in the kernel",
);
kernelTest(
  "a disk with hashes is read through its device, and a changed block is not",
  "verity",
  "a device mapper in the kernel",
);
kernelTest(
  "an encrypted disk is made, formatted, written and closed; nothing is readable on it",
  "crypt",
  "a device mapper in the kernel",
  "cryptsetup",
);
kernelTest(
  "a disk is formatted once, mounted with its propagation, and a failure leaves nothing",
  "format",
);
kernelTest("a disk is formatted as xfs", "xfs", "mkfs.xfs");
kernelTest(
  "a part of a persistent memory device is mounted, with and without hashes",
  "pmem",
  "a device mapper in the kernel",
);
kernelTest(
  "200 layers with long names are combined, with and without a scratch",
  "overlay",
);
kernelTest(
  "a share of the host is mounted, read and unmounted",
  "share",
  "9p in the kernel",
);
kernelTest(
  "a share whose server is gone is unmounted",
  "lostShare",
  "9p in the kernel",
);
kernelTest(
  "a server that is silent loses its connection and the mount its folder",
  "silentShare",
  "9p in the kernel",
);
kernelTest(
  "a kernel without 9p refuses a share, which leaves nothing",
  "noShare",
  "no 9p in the kernel",
);
