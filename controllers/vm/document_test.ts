import { assert, assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { ComputeSystemDocument } from "../../hcs/documents.gen.ts";
import {
  type Asked,
  documentInput,
  machineOf,
} from "../testing/document_input.ts";
import { hcsDocument, namedBootDirectory } from "./document.ts";

Deno.test("hcsDocument() describes an ordinary VM", () => {
  const { document } = hcsDocument(documentInput({
    files: ["kernel", "rootfs.vhd"],
  }));
  assertEquals(ComputeSystemDocument.encode(document), {
    Owner: "containerd-shim-lcow-v2",
    SchemaVersion: { Major: 2, Minor: 1 },
    ShouldTerminateOnLastHandleClosed: true,
    VirtualMachine: {
      StopOnReset: true,
      Chipset: {
        LinuxKernelDirect: {
          KernelFilePath: "C:\\boot\\kernel",
          KernelCmdLine:
            "root=/dev/sda ro rootwait init=/init initcall_blacklist=virtio_vsock_init 8250_core.nr_uarts=0 panic=-1 quiet pci=off nr_cpus=2 brd.rd_nr=0 pmtmr=0 -- -e 1 /bin/vsockexec -e 109 /bin/gcs -v4 -log-format json -loglevel info",
        },
      },
      ComputeTopology: {
        Memory: { SizeInMB: 1024n, AllowOvercommit: true },
        Processor: { Count: 2 },
      },
      Devices: {
        Scsi: {
          "df6d0690-79e5-55b6-a5ec-c1e2f77f580a": {
            Attachments: {
              "0": {
                Type: "VirtualDisk",
                Path: "C:\\boot\\rootfs.vhd",
                ReadOnly: true,
              },
            },
          },
          "0110f83b-de10-5172-a266-78bca56bf50a": {},
          "b5d2d8d4-3a75-51bf-945b-3444dc6b8579": {},
          "305891a9-b251-5dfe-91a2-c25d9212275b": {},
        },
        HvSocket: {
          HvSocketConfig: {
            DefaultBindSecurityDescriptor: "D:P(A;;FA;;;SY)(A;;FA;;;BA)",
          },
        },
        Plan9: {},
      },
    },
  });
});

Deno.test("host:N1 the platform is linux/amd64 or linux/arm64 in any case, else unsupported sandbox platform", () => {
  for (
    const [sandboxPlatform, architecture] of [
      ["linux/amd64", "amd64"],
      ["LINUX/Amd64", "amd64"],
      ["Linux/ARM64", "arm64"],
    ] as const
  ) {
    const { sandboxOptions } = hcsDocument(
      documentInput({ options: { sandboxPlatform } }),
    );
    assertEquals(sandboxOptions.architecture, architecture);
  }
  for (const sandboxPlatform of ["windows/amd64", "linux", "linux/386", ""]) {
    const error = assertThrows(
      () => hcsDocument(documentInput({ options: { sandboxPlatform } })),
      ShimError,
      `nsupported sandbox platform: ${sandboxPlatform}`,
    );
    assertEquals(error.code, "InvalidArgument");
  }
});

Deno.test("host:N8 StorageQoS is there when one of its limits is", () => {
  const qos = (iops?: string, bandwidth?: string) =>
    machineOf({
      annotations: {
        ...(iops === undefined ? {} : { storageIopsMaximum: iops }),
        ...(bandwidth === undefined
          ? {}
          : { storageBandwidthMaximum: bandwidth }),
      },
    }).StorageQoS;
  assertEquals(qos(), undefined);
  assertEquals(qos("0", "0"), undefined);
  assertEquals(qos("-1", "x"), undefined);
  assertEquals(qos("5"), { IopsMaximum: 5, BandwidthMaximum: 0 });
  assertEquals(qos("-1", "7"), { IopsMaximum: -1, BandwidthMaximum: 7 });
});

Deno.test("host:N19 scratch is encrypted by default when there is a policy", () => {
  const encrypts = (annotations: NonNullable<Asked["annotations"]>): boolean =>
    hcsDocument(documentInput({ annotations })).sandboxOptions
      .enableScratchEncryption;
  const policy = { securityPolicy: "cA==", noSecurityHardware: "true" };
  assertEquals(encrypts({}), false);
  assertEquals(encrypts({ scratchEncrypted: "true" }), true);
  assertEquals(encrypts(policy), true);
  assertEquals(encrypts({ ...policy, scratchEncrypted: "nonsense" }), true);
  assertEquals(encrypts({ ...policy, scratchEncrypted: "false" }), false);
});

Deno.test("host:N20 annotations of what no VM here has are refused, in their order", () => {
  const vm = "io.microsoft.virtualmachine";
  const names = [
    "io.microsoft.network.ncproxy",
    `${vm}.lcow.vpmem.nomultimapping`,
    `${vm}.kerneldrivers`,
  ];
  names.forEach((name, index) => {
    const others = Object.fromEntries(
      names.slice(index).map((name) => [name, "false"]),
    );
    assertThrows(
      // Before anything else is looked at.
      () =>
        hcsDocument(
          documentInput({ others, options: { sandboxPlatform: "" } }),
        ),
      ShimError,
      `${name} annotation is not supported`,
    );
    hcsDocument(documentInput({ others: { [name]: "" } }));
  });
});

Deno.test("host:N21 default annotations fill gaps; an annotation for the boot directory beats the option", () => {
  const memory = "io.microsoft.virtualmachine.computetopology.memory.sizeinmb";
  const options = { defaultContainerAnnotations: { [memory]: "2048" } };
  const size = (asked: Asked) =>
    machineOf({ ...asked, options }).ComputeTopology.Memory.SizeInMB;
  assertEquals(size({}), 2048n);
  assertEquals(size({ others: { [memory]: "512" } }), 512n);
  const named = { bootFilesRootPath: "C:\\option" };
  assertEquals(namedBootDirectory(named, {}), "C:\\option");
  const { annotations } = documentInput({
    annotations: { bootFilesRootPath: "" },
  });
  assertEquals(namedBootDirectory(named, annotations), "");
});

Deno.test("hcsDocument() gives the first reason in the order of its steps", () => {
  const wrong: readonly [keyof NonNullable<Asked["annotations"]>, string][] = [
    ["resourcePartitionId", "x"],
    ["enableDeferredCommit", "true"],
    ["numaMaxProcessorsPerNode", "2"],
    ["preferredRootfsType", "floppy"],
    ["vpmemMaximumCount", "1"],
    ["consolePipe", "C:\\pipe"],
    ["dmVerityMode", "true"],
  ];
  const messages = wrong.map((_, index) => {
    const annotations = Object.fromEntries([
      ["allowOvercommit", "false"],
      ...wrong.slice(index),
    ]);
    return assertThrows(
      () =>
        hcsDocument(documentInput({
          annotations,
          files: ["kernel", "rootfs.vhd"],
        })),
      ShimError,
    ).message;
  });
  const expected = [
    "resource_partition_id",
    "enable_deferred_commit",
    "max size per node",
    "PreferredRootFSType: floppy",
    "vPMem",
    "serial console",
    "DmVerityCreateArgs",
  ];
  messages.forEach((message, index) => {
    assert(message.includes(expected[index] ?? ""), message);
  });
});

Deno.test("sandboxOptions tell what the shim does itself", () => {
  const { sandboxOptions } = hcsDocument(documentInput({
    annotations: {
      disableWritableFileShares: "1",
      policyBasedRouting: "true",
      fullyPhysicallyBacked: "true",
    },
  }));
  assertEquals(sandboxOptions, {
    noWritableFileShares: true,
    enableScratchEncryption: false,
    policyBasedRouting: true,
    architecture: "amd64",
    fullyPhysicallyBacked: true,
  });
});
