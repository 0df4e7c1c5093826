import { assert, assertEquals } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import type { Deviation } from "./deviation.ts";
import { peerDefects } from "../golden/peer_defects.ts";
import { deviations } from "./deviations.ts";

/** The row that says this of us. */
function row(ours: string): Deviation {
  const found = deviations.find((row) => row.ours.includes(ours));
  assert(found, ours);
  return found;
}

function expected(
  ours: string,
  input: JsonObject,
  output: JsonObject,
): JsonObject | undefined {
  return row(ours).expected?.({ input, output, defects: [] });
}

Deno.test("every row gives a reason, and one way to find our value", () => {
  for (const { ours, reason, expected, sameAs } of deviations) {
    assertEquals([ours === "", reason === ""], [false, false]);
    assertEquals([expected, sameAs].filter(Boolean).length, 1, ours);
  }
});

Deno.test("without options a VM is that of its host", () => {
  const { sameAs } = row("without options");
  assertEquals(sameAs?.({ options: null, owner: "o" }), {
    owner: "o",
    options: { sandbox_platform: "linux/amd64" },
  });
  assertEquals(sameAs?.({ options: {} }), undefined);
});

Deno.test("the files of an isolated VM are expected in its bundle", () => {
  const document = (more: JsonObject): JsonObject => ({
    VirtualMachine: {
      Devices: {
        Scsi: {
          a: { Attachments: { "0": { Path: "C:\\b\\root.vhd" } } },
          b: {},
        },
      },
      ...more,
    },
  });
  const state = { GuestState: { GuestStateFilePath: "C:\\b\\k.vmgs" } };
  const isolated = { document: document(state), bundleFilesAfter: [] };
  assertEquals(expected("isolated VM", {}, isolated), {
    ...isolated,
    bundleFilesAfter: ["k.vmgs", "root.vhd"],
  });
  const ordinary = { document: document({}), bundleFilesAfter: [] };
  assertEquals(expected("isolated VM", {}, ordinary), undefined);
});

const forget = { call: "guest.DeleteContainerState", containerId: "c" };
const create = { call: "guest.CreateContainer", containerId: "c" };

Deno.test("nothing is forgotten that the guest never heard of", () => {
  const rule = "never heard of";
  const part = { calls: [forget], error: "x", state: "Invalid" };
  assertEquals(expected(rule, {}, { wire: part }), {
    wire: { ...part, calls: [] },
  });
  const heard = { ...part, calls: [create, forget] };
  assertEquals(expected(rule, {}, { wire: heard }), undefined);
});

const mount = { MountPath: "/m", ReadOnly: true };
const attach = {
  call: "vm.modify",
  request: {
    RequestType: "Add",
    ResourcePath: "VirtualMachine/Devices/Scsi/x/Attachments/0",
    Settings: { Path: "C:\\l" },
  },
};
const mounted = {
  call: "guest.modify",
  request: {
    RequestType: "Add",
    ResourceType: "MappedVirtualDisk",
    Settings: mount,
  },
};
const unmounted = {
  call: "guest.modify",
  request: {
    RequestType: "Remove",
    ResourceType: "MappedVirtualDisk",
    Settings: mount,
  },
};
const ejected = {
  call: "guest.modify",
  request: { RequestType: "Remove", ResourceType: "SCSIDevice", Settings: {} },
};
const detached = {
  call: "vm.modify",
  request: {
    RequestType: "Remove",
    ResourcePath: "VirtualMachine/Devices/Scsi/x/Attachments/0",
  },
};

Deno.test("a disk whose mount failed is expected to be detached", () => {
  const failing = { ...mounted, fails: "injected failure" };
  const part = { calls: [attach, failing], error: "x", state: "Invalid" };
  assertEquals(
    expected("whose mount failed is detached", {}, { wire: part }),
    { wire: { ...part, calls: [attach, failing, ejected, detached] } },
  );
});

Deno.test("a second delete is expected to go on where the first stopped", () => {
  const failing = { ...detached, fails: "injected failure" };
  const part = {
    calls: [attach, mounted, create],
    delete: [
      { calls: [unmounted, ejected, failing], error: "injected failure" },
      { calls: [], error: "reservation <guid-2> not found" },
      { calls: [], error: "reservation <guid-2> not found" },
    ],
  };
  const rule = "goes on where it stopped";
  assertEquals(expected(rule, {}, { wire: part })?.wire, {
    ...part,
    delete: [part.delete[0]!, { calls: [detached], exitStatus: 0 }],
  });
  const right = {
    ...part,
    delete: [part.delete[0]!, { calls: [detached], exitStatus: 0 }],
  };
  assertEquals(expected(rule, {}, { wire: right }), undefined);
});

Deno.test("a single file is expected with its name, also beside another container", () => {
  const input = {
    hostFiles: { "C:\\c\\a.ini": "file", "C:\\d": "dir" },
    spec: {
      mounts: [
        { type: "bind", source: "C:/c/a.ini", destination: "/a" },
        { type: "bind", source: "C:\\d", destination: "/d" },
      ],
    },
  };
  const document = (...sources: string[]): JsonObject => ({
    OciSpecification: { mounts: sources.map((source) => ({ source })) },
  });
  assertEquals(
    expected("single file", input, {
      document: document("/run/0", "/run/1"),
      wire: { second: { document: document("/run/2", "/run/3") } },
    }),
    {
      document: document("/run/0/a.ini", "/run/1"),
      wire: { second: { document: document("/run/2/a.ini", "/run/3") } },
    },
  );
});

Deno.test("what cannot be begun is expected to leave the container new", () => {
  const part = {
    calls: [forget],
    error: "a: parse lcow layers: x",
    state: "Invalid",
  };
  assertEquals(
    expected("leave the container new", {}, { wire: part }),
    { wire: { ...part, calls: [], state: "NotCreated" } },
  );
});

Deno.test("every fault of the peer that shows in recordings has a row", () => {
  const named = new Set(deviations.map(({ defect }) => defect));
  const lacking = peerDefects.filter(({ id }) => !named.has(id));
  // What the recordings show is right; the peer only does not always answer so.
  assertEquals(lacking.map(({ id }) => id), ["wait-sandbox"]);
});
