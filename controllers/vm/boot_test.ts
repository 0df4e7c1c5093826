import { assertEquals, assertThrows } from "@std/assert";
import { type ErrorCode, ShimError } from "../../base/errors.ts";
import {
  type Asked,
  documentInput,
  machineOf,
} from "../testing/document_input.ts";
import { hcsDocument } from "./document.ts";

const uefi = { kernelDirectBoot: "false" };

function refusal(asked: Asked): [ErrorCode, string] {
  const error = assertThrows(() => machineOf(asked), ShimError);
  return [error.code, error.message];
}

/** Names of kernel and root file system, and whether the latter is a disk. */
function booted(asked: Asked): [string, string, boolean] {
  const { boot } = hcsDocument(documentInput(asked));
  const name = (path: string) => path.replace("C:\\boot\\", "");
  return [name(boot.kernel), name(boot.rootfs), boot.isDisk];
}

const choices: readonly [string, Asked, [string, string, boolean]][] = [
  ["a disk alone", { files: ["kernel", "rootfs.vhd"] }, [
    "kernel",
    "rootfs.vhd",
    true,
  ]],
  ["a ramdisk alone", { files: ["kernel", "initrd.img"] }, [
    "kernel",
    "initrd.img",
    false,
  ]],
  ["both", { files: ["kernel", "initrd.img", "rootfs.vhd"] }, [
    "kernel",
    "rootfs.vhd",
    true,
  ]],
  ["both, with a preference", {
    files: ["kernel", "initrd.img", "rootfs.vhd"],
    annotations: { preferredRootfsType: "initrd" },
  }, ["kernel", "initrd.img", false]],
  ["both, with an empty preference", {
    files: ["kernel", "initrd.img", "rootfs.vhd"],
    annotations: { preferredRootfsType: "" },
  }, ["kernel", "rootfs.vhd", true]],
];

for (const [what, asked, expected] of choices) {
  Deno.test(`host:N9 the root file system of a directory with ${what}`, () => {
    assertEquals(booted(asked), expected);
  });
}

Deno.test("host:N9 a directory without a root file system still names the ramdisk, as the peer does", () => {
  assertEquals(booted({ files: ["kernel"] })[1], "initrd.img");
});

Deno.test("host:N9 bad preferences, missing files and a missing directory are refused", () => {
  const prefer = (preferredRootfsType: string): Asked => ({
    files: ["kernel"],
    annotations: { preferredRootfsType },
  });
  assertEquals(refusal(prefer("VHD")), [
    "InvalidArgument",
    "Invalid PreferredRootFSType: VHD; use initrd or vhd",
  ]);
  assertEquals(refusal(prefer("vhd")), [
    "NotFound",
    '"rootfs.vhd" not found in boot files path',
  ]);
  assertEquals(refusal(prefer("initrd"))[1].startsWith('"initrd.img"'), true);
  const [code, message] = refusal({ files: undefined });
  assertEquals(code, "NotFound");
  assertEquals(
    message.startsWith('boot_files_root_path "C:\\boot" not found'),
    true,
  );
});

Deno.test("host:N10 a direct boot takes vmlinux, else kernel; firmware takes kernel only", () => {
  const kernel = (files: readonly string[], annotations = {}) =>
    booted({ files, annotations })[0];
  assertEquals(kernel(["vmlinux", "kernel"]), "vmlinux");
  assertEquals(kernel(["kernel"]), "kernel");
  assertEquals(kernel(["vmlinux", "kernel"], uefi), "kernel");
  const [code, message] = refusal({ files: ["initrd.img"] });
  assertEquals(code, "NotFound");
  assertEquals(message.includes("for kernel direct boot"), true);
  const [, other] = refusal({ files: ["vmlinux"], annotations: uefi });
  assertEquals(other.includes('Kernel file "kernel" not found'), true);
});

Deno.test("host:N10 firmware loads the kernel from the boot directory", () => {
  const { Chipset } = machineOf({ annotations: uefi });
  assertEquals(Chipset.LinuxKernelDirect, undefined);
  const { OptionalData, ...entry } = Chipset.Uefi?.BootThis ??
    { DeviceType: "" };
  assertEquals(entry, {
    DeviceType: "VmbFs",
    DevicePath: "\\kernel",
    VmbFsRootPath: "C:\\boot",
  });
  assertEquals(OptionalData?.startsWith("initrd=/initrd.img "), true);
});

Deno.test("host:N10 old hosts and arm64 boot through firmware by default; old hosts cannot do otherwise", () => {
  const isDirect = (host: Asked["host"], annotations = {}): boolean =>
    machineOf({ host: host ?? {}, annotations }).Chipset.LinuxKernelDirect !==
      undefined;
  assertEquals(isDirect({}), true);
  assertEquals(isDirect({ build: 18285 }), false);
  assertEquals(isDirect({ arch: "arm64" }), false);
  assertEquals(isDirect({ arch: "arm64" }, { kernelDirectBoot: "true" }), true);
  const [code, message] = refusal({
    host: { build: 18285 },
    annotations: { kernelDirectBoot: "true" },
  });
  assertEquals(code, "FailedPrecondition");
  assertEquals(message.includes("older than 18286"), true);
});

Deno.test("host:N11 the root disk is the first unit of the first controller, read-only", () => {
  const { Devices } = machineOf({ files: ["kernel", "rootfs.vhd"] });
  const attachments = Object.values(Devices?.Scsi ?? {}).map((controller) =>
    controller.Attachments
  );
  assertEquals(attachments, [
    {
      "0": {
        Type: "VirtualDisk",
        Path: "C:\\boot\\rootfs.vhd",
        ReadOnly: true,
      },
    },
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("VMs of a host before build 17763 have one SCSI controller", () => {
  const { Devices } = machineOf({
    host: { build: 17762 },
    annotations: uefi,
  });
  assertEquals(Object.keys(Devices?.Scsi ?? {}).length, 1);
});
