import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { HResult, HResultError } from "../base/hresult.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { parseLun, planMachine } from "./machine_plan.ts";

const controller = "DF6D0690-79e5-55b6-a5ec-c1e2f77f580a";
const commandLine = "quiet -- -e 1 /bin/vsockexec -e 109 /bin/gcs -v4";

function documentWith(
  change: (vm: JsonObject, document: JsonObject) => void = () => {},
): Json {
  const vm: JsonObject = {
    StopOnReset: true,
    Chipset: {
      LinuxKernelDirect: {
        KernelFilePath: "/boot/vmlinux",
        InitRdPath: "/boot/initrd.img",
        KernelCmdLine: commandLine,
      },
    },
    ComputeTopology: {
      Memory: { SizeInMB: 1024, AllowOvercommit: true },
      Processor: { Count: 2 },
    },
    Devices: {
      Scsi: {
        [controller]: {
          Attachments: {
            "0": {
              Type: "VirtualDisk",
              Path: "/boot/rootfs.vhd",
              ReadOnly: true,
            },
          },
        },
        "0110f83b-de10-5172-a266-78bca56bf50a": {},
      },
      Plan9: {},
    },
  };
  const document: JsonObject = {
    Owner: "shim",
    SchemaVersion: { Major: 2, Minor: 1 },
    ShouldTerminateOnLastHandleClosed: true,
    VirtualMachine: vm,
  };
  change(vm, document);
  return document;
}

function devices(vm: JsonObject): JsonObject {
  return vm["Devices"] as JsonObject;
}

function topology(vm: JsonObject): Record<string, JsonObject> {
  return vm["ComputeTopology"] as Record<string, JsonObject>;
}

Deno.test("planMachine() reads what a document asks for", () => {
  assertEquals(planMachine(documentWith(), 2), {
    owner: "shim",
    memory: 1024,
    processors: 2,
    guest: { entropyPort: 1, logPort: 109, agentArguments: ["-v4"] },
    files: ["/boot/vmlinux", "/boot/initrd.img"],
    controllers: [
      controller.toLowerCase(),
      "0110f83b-de10-5172-a266-78bca56bf50a",
    ],
    disks: [{
      controller: 0,
      lun: 0,
      attachment: {
        Type: "VirtualDisk",
        Path: "/boot/rootfs.vhd",
        ReadOnly: true,
      },
    }],
  });
});

Deno.test("planMachine() takes a boot through firmware", () => {
  const plan = planMachine(
    documentWith((vm) =>
      vm["Chipset"] = {
        Uefi: {
          BootThis: {
            DeviceType: "VmbFs",
            DevicePath: "\\kernel",
            VmbFsRootPath: "/boot",
            OptionalData: commandLine,
          },
        },
      }
    ),
    2,
  );
  assertEquals(plan.files, ["/boot/kernel"]);
  assertEquals(plan.guest.logPort, 109);
});

Deno.test("planMachine() answers InvalidJson with the path of what is wrong", () => {
  const cases: [string, (vm: JsonObject, document: JsonObject) => void][] = [
    ["$.Extra", (_, document) => document["Extra"] = 1],
    ["$.VirtualMachine.Chipset", (vm) => vm["Chipset"] = {}],
    ["$.VirtualMachine.Typo", (vm) => vm["Typo"] = true],
    [
      "$.SchemaVersion",
      (_, document) => document["SchemaVersion"] = { Major: 1, Minor: 0 },
    ],
    ["$.Owner", (_, document) => document["Owner"] = ""],
    ["Memory.SizeInMB", (vm) => topology(vm)["Memory"]!["SizeInMB"] = 1023],
    ["Memory.SizeInMB", (vm) => topology(vm)["Memory"]!["SizeInMB"] = "1"],
    ["Processor.Count", (vm) => topology(vm)["Processor"]!["Count"] = 3],
    ["Processor.Count", (vm) => topology(vm)["Processor"]!["Count"] = 0],
    ["Devices.Scsi", (vm) => devices(vm)["Scsi"] = { "not-a-guid": {} }],
    ["Attachments", (vm) =>
      devices(vm)["Scsi"] = {
        [controller]: {
          Attachments: { "64": { Type: "VirtualDisk", Path: "/a" } },
        },
      }],
    ["Attachments.0.Type", (vm) =>
      devices(vm)["Scsi"] = {
        [controller]: { Attachments: { "0": { Type: "Floppy", Path: "/a" } } },
      }],
    [
      "KernelCmdLine",
      (vm) => vm["Chipset"] = { LinuxKernelDirect: { KernelFilePath: "/k" } },
    ],
  ];
  for (const [path, change] of cases) {
    const error = assertThrows(
      () => planMachine(documentWith(change), 2),
      HResultError,
      path,
    ) as HResultError;
    assertEquals(error.hresult, HResult.InvalidJson, path);
  }
});

Deno.test("planMachine() refuses what the simulated host does not have", () => {
  const cases: [string, (vm: JsonObject, document: JsonObject) => void][] = [
    [
      "$.ShouldTerminateOnLastHandleClosed",
      (_, document) => document["ShouldTerminateOnLastHandleClosed"] = false,
    ],
    ["Isolation", (vm) =>
      vm["SecuritySettings"] = {
        Isolation: { IsolationType: "SecureNestedPaging" },
      }],
    ["VirtualPci", (vm) =>
      devices(vm)["VirtualPci"] = {
        [controller]: { Functions: [{ DeviceInstancePath: "PCI\\1" }] },
      }],
    [
      "ComPorts",
      (vm) =>
        devices(vm)["ComPorts"] = { "0": { NamedPipe: "\\\\.\\pipe\\a" } },
    ],
    ["MigrationOptions", (vm) => vm["MigrationOptions"] = {}],
  ];
  for (const [path, change] of cases) {
    const error = assertThrows(
      () => planMachine(documentWith(change), 2),
      HResultError,
      path,
    ) as HResultError;
    assertEquals(error.code, "NotImplemented");
    assertStringIncludes(error.message, "simulated host");
  }
});

Deno.test("parseLun() takes the 64 places of a controller", () => {
  assertEquals(parseLun("0"), 0);
  assertEquals(parseLun("63"), 63);
  for (const text of ["64", "01", "-1", "", "a", "1.0"]) {
    assertEquals(parseLun(text), undefined, text);
  }
});
