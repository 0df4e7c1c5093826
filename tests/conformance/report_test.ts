import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import { runFolder } from "./report.ts";

/** Runs recordings of this project's own making, laid out in a folder. */
async function report(
  sets: Record<string, Record<string, unknown>>,
): Promise<string[]> {
  const dir = await Deno.makeTempDir();
  try {
    for (const [set, files] of Object.entries(sets)) {
      await Deno.mkdir(`${dir}/${set}`);
      for (const [file, content] of Object.entries(files)) {
        const text = typeof content === "string"
          ? content
          : JSON.stringify(content);
        await Deno.writeTextFile(`${dir}/${set}/${file}`, text);
      }
    }
    const lines: string[] = [];
    const { passed, failed } = await runFolder(dir, (line) =>
      lines.push(line)) ?? { passed: -1, failed: -1 };
    return [...lines, `${passed} passed, ${failed} failed`];
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const disk = { Type: "VirtualDisk", Path: "C:\\own.vhdx", ReadOnly: true };

function scsiCase(name: string, op: string, output: JsonObject): JsonObject {
  return {
    name,
    input: { op, controller: 1, lun: 2, attachment: disk },
    output,
  };
}

const path =
  "VirtualMachine/Devices/Scsi/0110f83b-de10-5172-a266-78bca56bf50a/Attachments/2";

const added = {
  calls: [{
    to: "vm",
    request: { RequestType: "Add", Settings: disk, ResourcePath: path },
  }],
};

Deno.test("a folder of recordings gives a line per failure and set, and the sum", async () => {
  const other = {
    calls: [{
      to: "vm",
      request: {
        RequestType: "Add",
        Settings: { ...disk, Path: "C:\\other" },
        ResourcePath: path,
      },
    }],
  };
  assertEquals(
    await report({
      "hcs-modify": {
        "own.json": {
          group: "vm-scsi",
          cases: [
            scsiCase("right", "add", added),
            scsiCase("wrong", "add", other),
            scsiCase("strange", "polish", { calls: [] }),
          ],
        },
        "broken.json": "{",
        "notes.txt": "no recording",
      },
      "trace": { "boot.0.json": { events: [] } },
      "weather": {},
    }),
    [
      "FAIL hcs-modify/broken.json: Cannot parse broken.json: Expected property name or '}' in JSON at position 1 (line 1 column 2)",
      'FAIL hcs-modify/own.json "wrong": $.calls[0].request.Settings.Path: ours "C:\\\\own.vhdx", recorded "C:\\\\other"',
      'FAIL hcs-modify/own.json "strange": $: the case cannot be run: {"code":"NotImplemented","message":"no operation is called \\"polish\\""}',
      "hcs-modify: 1 passed, 3 failed",
      "trace (requests to the guest): 1 passed, 0 failed",
      "trace (calls to the shim): 0 passed, 0 failed",
      "trace (command lines): 0 passed, 0 failed",
      "weather: nobody knows this set",
      "2 passed, 3 failed",
    ],
  );
});

Deno.test("a folder that is not there gives no counts", async () => {
  assertEquals(await runFolder("/nowhere", () => {}), undefined);
});

Deno.test("sets of our own making: documents, containers and sequences agree", async () => {
  const options = {
    boot_files_root_path: "boot",
    sandbox_platform: "linux/amd64",
  };
  const sandbox = {
    owner: "me",
    bundlePath: "C:\\b",
    options,
    annotations: null,
    devices: [],
    bootFiles: { "C:\\cwd\\boot": ["initrd.img"] },
    hostProcessors: 4,
    windowsBuild: 26100,
    currentDirectory: "C:\\cwd",
    shimDirectory: "C:\\shim",
    programFiles: "C:\\Program Files",
  };
  const container = {
    vmId: "99999999-0000-1111-2222-333333333333",
    podId: "p",
    containerId: "c",
    guestCapabilities: null,
    scratchEncryption: false,
    rootfs: [],
    spec: { ociVersion: "1.1.0", linux: {} },
  };
  const refused = {
    error: "parse lcow layers: must pass either a or b: failed precondition",
  };
  const share = {
    op: "reserve",
    as: "a",
    share: { HostPath: "C:\\x", ReadOnly: false },
    mount: { ReadOnly: false },
  };
  const denied = { op: "reserve", as: "a", calls: [], error: "it is denied" };
  assertEquals(
    await report({
      "hcs-doc": {
        "own.json": {
          cases: [{
            name: "no kernel",
            input: sandbox,
            output: { error: "there is no kernel file", bundleFilesAfter: [] },
          }],
        },
      },
      "container-doc": {
        "own.json": {
          cases: [{
            name: "no layers",
            input: container,
            output: {
              ...refused,
              wire: { ...refused, calls: null, state: "Invalid" },
            },
          }],
        },
      },
      "hcs-modify": {
        "plan9-sequences.json": {
          cases: [{
            name: "writable",
            input: { noWritableFileShares: true, steps: [share] },
            output: { calls: [], steps: [denied] },
          }],
        },
      },
    }),
    [
      "container-doc: 1 passed, 0 failed (1 with a difference on purpose)",
      "hcs-doc: 1 passed, 0 failed",
      "hcs-modify: 1 passed, 0 failed",
      "3 passed, 0 failed",
    ],
  );
});
