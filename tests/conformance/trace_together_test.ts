import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import { scsiControllerIds } from "../../bridge/places.ts";
import { layOutTogether, overlaps } from "./trace_together.ts";

const event = (kind: string, seq: number, method = "Create") => ({
  log: "ttrpc",
  kind,
  seq,
  method,
});

Deno.test("calls overlap from the first to the last that has a common time with another", () => {
  assertEquals(
    overlaps([
      event("call", 1),
      event("reply", 1),
      event("call", 2),
      event("call", 3),
      event("reply", 2),
      event("call", 4, "Start"),
      event("reply", 3),
      event("reply", 4, "Start"),
      event("call", 5),
      event("reply", 5),
    ]),
    [[2, 3, 4]],
  );
});

Deno.test("a call that only waits overlaps with nothing", () => {
  assertEquals(
    overlaps([
      event("call", 1, "Wait"),
      event("call", 2, "Kill"),
      event("call", 3, "Delete"),
      event("reply", 3, "Delete"),
    ]),
    [],
  );
});

const attach = (lun: number, Path: string) => ({
  call: "modify",
  configuration: {
    ResourcePath: `VirtualMachine/Devices/Scsi/${
      scsiControllerIds[0]
    }/Attachments/${lun}`,
    RequestType: "Add",
    Settings: { Path },
  },
});
const mount = (lun: number) => ({
  name: "ModifySettings",
  ContainerId: "00000000-0000-0000-0000-000000000000",
  Request: {
    RequestType: "Add",
    ResourceType: "MappedVirtualDisk",
    Settings: {
      MountPath: `/run/mounts/scsi/0_${lun}_0`,
      ...(lun === 0 ? {} : { Lun: lun }),
    },
  },
});
const join = (ContainerID: string, lun: number) => ({
  name: "ModifySettings",
  ContainerId: "00000000-0000-0000-0000-000000000000",
  Request: {
    RequestType: "Add",
    ResourceType: "CombinedLayers",
    Settings: { ContainerID, ScratchPath: `/run/mounts/scsi/0_${lun}_0/s` },
  },
});
const create = (ContainerId: string) => ({ name: "Create", ContainerId });

/** A layout in which `a` has its disk at one place, `b` at the other. */
function layout(a: number, b: number, isMixed: boolean): JsonObject {
  const host = [attach(a, "C:\\a"), attach(b, "C:\\b")];
  const guest = isMixed
    ? [mount(b), mount(a), join("b", b), join("a", a), create("b"), create("a")]
    : [
      mount(a),
      join("a", a),
      create("a"),
      mount(b),
      join("b", b),
      create("b"),
    ];
  return {
    calls: [
      { seq: 1, host: [], guest: [] },
      { seq: 2, host: isMixed ? host.toReversed() : host, guest },
      { seq: 3, host: [], guest: [mount(a)] },
    ],
  };
}

Deno.test("how requests of two containers interleave, and where their disks are, is free", () => {
  const groups = [[1, 2]];
  const one = layOutTogether(layout(0, 2, false), groups);
  assertEquals(layOutTogether(layout(2, 0, true), groups), one);
  assertEquals(one.calls, [
    { seq: 1, host: [], guest: [] },
    { seq: 2, host: [], guest: [] },
    { seq: 3, host: [], guest: [mount(0)] },
  ]);
  assertEquals(one.together, [{
    calls: [1, 2],
    requests: {
      a: {
        host: [attach(0, "C:\\a")],
        guest: [mount(0), join("a", 0), create("a")],
      },
      b: {
        host: [attach(2, "C:\\b")],
        guest: [mount(2), join("b", 2), create("b")],
      },
    },
    rest: [],
  }]);
});

Deno.test("the order of one container's requests counts, and what belongs to none is kept", () => {
  const wrong = {
    calls: [
      { seq: 1, host: [], guest: [create("a"), join("a", 2)] },
      { seq: 2, host: [attach(2, "C:\\a"), attach(3, "C:\\x")], guest: [] },
    ],
  };
  const { together } = layOutTogether(wrong, [[1, 2]]);
  assertEquals(together, [{
    calls: [1, 2],
    requests: {
      a: {
        host: [attach(2, "C:\\a")],
        guest: [create("a"), join("a", 2)],
      },
    },
    rest: [JSON.stringify(attach(3, "C:\\x"))],
  }]);
});
