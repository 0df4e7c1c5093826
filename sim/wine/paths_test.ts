import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { HResultError } from "../../base/hresult.ts";
import type { Json } from "../../base/json.ts";
import type { ComputeHost, ComputeSystem } from "../../hcs/ports.ts";
import { linuxPath, wineComputeHost } from "./paths.ts";

Deno.test("linuxPath() takes drive Z: in all its forms", () => {
  for (
    const [path, expected] of [
      ["Z:\\a\\b c", "/a/b c"],
      ["z:/a/b", "/a/b"],
      ["Z:\\", "/"],
      ["\\\\?\\Z:\\a\\b", "/a/b"],
      ["\\\\.\\Z:\\a", "/a"],
      ["\\\\?\\unix\\a\\b", "/a/b"],
      ["\\\\?\\Volume{00000000-0000-0000-0000-00000000005a}\\a", "/a"],
    ] as const
  ) {
    assertEquals(linuxPath(path), expected);
  }
});

Deno.test("linuxPath() finds nothing on other drives", () => {
  for (
    const path of [
      "C:\\a",
      "\\\\?\\C:\\a",
      "\\\\?\\Volume{00000000-0000-0000-0000-000000000043}\\a",
      "\\\\server\\share\\a",
      "Z:a",
      "/a",
      "",
    ]
  ) {
    const error = assertThrows(() => linuxPath(path), HResultError, path);
    assertEquals(error.hresult, 0x80070002);
  }
});

/** A host that notes what it is asked. */
function notingHost(calls: Json[]): ComputeHost {
  const note = (...call: Json[]): Promise<never[]> => {
    calls.push(call);
    return Promise.resolve([]);
  };
  const system: ComputeSystem = {
    id: "a",
    runtimeId: "b",
    exited: Promise.withResolvers<never>().promise,
    start: async () => void await note("start"),
    modify: async (request) => void await note(request),
    properties: (query) => note(query),
    terminate: async () => void await note("terminate"),
    close: async () => void await note("close"),
  };
  return {
    create: async (_id, document) => {
      await note(document);
      return system;
    },
    open: () => Promise.resolve(system),
    enumerate: () => note("enumerate"),
    serviceProperties: (query) => note(query),
    grantAccess: async (vm, path) => void await note(vm, path),
    revokeAccess: async (vm, path) => void await note(vm, path),
  };
}

Deno.test("wineComputeHost() translates every path of documents and requests, and nothing else", async () => {
  const calls: Json[] = [];
  const host = wineComputeHost(notingHost(calls));
  const disk = { Type: "VirtualDisk", Path: "\\\\?\\Z:\\d\\1.vhdx" };
  const system = await host.create("a", {
    Owner: "Z:\\o",
    VirtualMachine: {
      Chipset: {
        LinuxKernelDirect: {
          KernelFilePath: "Z:\\k",
          InitRdPath: "Z:\\i",
          KernelCmdLine: "Path=Z:\\x",
        },
        Uefi: { BootThis: { VmbFsRootPath: "Z:\\v", DevicePath: "\\kernel" } },
      },
      Devices: { Scsi: { guid: { Attachments: { "0": disk } } } },
      Memory: { SizeInMB: 2n ** 60n },
    },
  });
  await system.modify({ ResourcePath: "a/b", Settings: disk });
  await host.grantAccess("vm", "Z:\\d");
  await host.revokeAccess("vm", "Z:\\d");
  const translated = { Type: "VirtualDisk", Path: "/d/1.vhdx" };
  assertEquals(calls, [
    [{
      Owner: "Z:\\o",
      VirtualMachine: {
        Chipset: {
          LinuxKernelDirect: {
            KernelFilePath: "/k",
            InitRdPath: "/i",
            KernelCmdLine: "Path=Z:\\x",
          },
          Uefi: { BootThis: { VmbFsRootPath: "/v", DevicePath: "\\kernel" } },
        },
        Devices: { Scsi: { guid: { Attachments: { "0": translated } } } },
        Memory: { SizeInMB: 2n ** 60n },
      },
    }],
    [{ ResourcePath: "a/b", Settings: translated }],
    ["vm", "/d"],
    ["vm", "/d"],
  ]);
});

Deno.test("wineComputeHost() refuses a path of drive C:, before the host is asked", async () => {
  const calls: Json[] = [];
  const host = wineComputeHost(notingHost(calls));
  const system = await host.open("a");
  for (
    const attempt of [
      () => host.create("a", { Chipset: { KernelFilePath: "C:\\k" } }),
      () => system.modify({ Settings: { Path: "C:\\d" } }),
      () => host.grantAccess("vm", "C:\\d"),
    ]
  ) {
    await assertRejects(attempt, HResultError, "ERROR_FILE_NOT_FOUND");
  }
  assertEquals(calls, []);
});
