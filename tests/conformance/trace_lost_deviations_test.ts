import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import { scsiControllerIds } from "../../bridge/places.ts";
import {
  traceLostDeviations,
  traceTakenDeviations,
} from "./trace_lost_deviations.ts";
import {
  done,
  expectedBy,
  failed,
  judgedTrace,
  podSpec,
  type TestCall,
} from "./trace_testing.ts";

const path = (lun: number) =>
  `VirtualMachine/Devices/Scsi/${scsiControllerIds[0]}/Attachments/${lun}`;
const disk = (RequestType: string, lun: number, more: JsonObject = {}) => ({
  call: "modify",
  configuration: { ResourcePath: path(lun), RequestType, ...more },
});
const request = (
  RequestType: string,
  ResourceType: string,
  Settings: JsonObject,
) => ({
  name: "ModifySettings",
  Request: { RequestType, ResourceType, Settings },
});
const mounted = (RequestType: string, lun: number) =>
  request(RequestType, "MappedVirtualDisk", {
    MountPath: `/run/mounts/scsi/0_${lun}_0`,
    Lun: lun,
  });
const layers = (RequestType: string, id: string, scratch: number) =>
  request(RequestType, "CombinedLayers", {
    ContainerID: id,
    Layers: [{ Path: "/run/mounts/scsi/0_1_0" }],
    ScratchPath: `/run/mounts/scsi/0_${scratch}_0/scratch`,
  });
const share = (RequestType: string, more: JsonObject = {}) => ({
  call: "modify",
  configuration: {
    ResourcePath: "VirtualMachine/Devices/Plan9/Shares",
    RequestType,
    Settings: { Name: "0", AccessName: "0", Port: 564, ...more },
  },
});
const directory = (RequestType: string) =>
  request(RequestType, "MappedDirectory", {
    MountPath: "/run/mounts/plan9/0",
    ShareName: "0",
  });
const eject = (Lun: number) => request("Remove", "SCSIDevice", { Lun });
const forget = (ContainerId: string) => ({
  name: "DeleteContainerState",
  ContainerId,
});
const document = (ContainerId: string, source = "") => ({
  name: "Create",
  ContainerId,
  ContainerConfig: { OciSpecification: { mounts: [{ source }] } },
});

/** `c` has a layer, which it shares with `d`, a scratch disk and a share. */
const creates: TestCall[] = [
  ["Create", "c", {
    ...done,
    host: [
      disk("Add", 1, { Settings: { Path: "base" } }),
      disk("Add", 2, { Settings: { Path: "s-c" } }),
      share("Add", { Path: "C:\\d", Flags: 5 }),
    ],
    guest: [
      mounted("Add", 1),
      mounted("Add", 2),
      layers("Add", "c", 2),
      directory("Add"),
      document("c", "/run/mounts/plan9/0"),
    ],
  }],
  ["Create", "d", {
    ...done,
    host: [disk("Add", 3, { Settings: { Path: "s-d" } })],
    guest: [mounted("Add", 3), layers("Add", "d", 3), document("d")],
  }],
];
const start: TestCall = ["Start", "c", { reply: { response: { pid: 7 } } }];

const taken: TestCall = ["Create", "c", {
  ...failed("exists", "AlreadyExists"),
  guest: [{ name: "x" }],
}];
const lost = { code: "NotFound", error: "process not found" };
const killed = { exit_status: 137, exited_at: "<time>" };

Deno.test("a container whose id was repeated is reached, killed and deleted, with what it alone uses", () => {
  const rule = "repeats its id";
  const exit = { topic: "/tasks/exit", exit_status: 0xffff_ffff };
  const steps: TestCall[] = [
    ...creates,
    start,
    taken,
    ["State", "c", { reply: lost }],
    ["Kill", "c", { ...done, guest: [] }, { signal: 9 }],
    ["State", "c", { reply: lost }],
    ["Wait", "c", { reply: lost }],
    ["Delete", "c", { reply: lost, host: [], guest: [] }],
  ];
  const { calls, events } = expectedBy(
    traceTakenDeviations,
    rule,
    judgedTrace([podSpec("c", "p"), ...steps], { c: [exit], d: [exit] }),
  )!;
  const known = { id: "c", bundle: "C:\\bundles\\c", pid: 7 };
  assertEquals(calls.slice(4).map(({ reply }) => reply), [
    { response: { ...known, status: "RUNNING", exit_status: 255 } },
    { response: {} },
    { response: { ...known, status: "STOPPED", ...killed } },
    { response: killed },
    { response: { pid: 7, ...killed } },
  ]);
  assertEquals(calls[5]!.guest, [{
    name: "SignalProcess",
    ContainerId: "c",
    ProcessId: 7,
    Options: { Signal: 9 },
  }]);
  assertEquals(calls[8]!.host, [disk("Remove", 2), share("Remove")]);
  assertEquals(calls[8]!.guest, [
    layers("Remove", "c", 2),
    forget("c"),
    mounted("Remove", 2),
    eject(2),
    directory("Remove"),
  ]);
  assertEquals(events.c, [
    { ...exit, ...killed },
    { ...exit, ...killed, topic: "/tasks/delete" },
  ]);
  assertEquals(events.d, [exit]);
});

Deno.test("a create that asks for nothing takes no id", () => {
  const refused: TestCall = ["Create", "c", {
    ...failed("exists", "AlreadyExists"),
    guest: [],
  }];
  const kill: TestCall = ["Kill", "c", done, { signal: 9 }];
  assertEquals(
    expectedBy(
      traceTakenDeviations,
      "repeats its id",
      judgedTrace([...creates, refused, kill]),
    ),
    undefined,
  );
});

Deno.test("devices of a VM without its guest are taken from it, on the host only", () => {
  const rule = "whose guest is lost";
  const dies = { log: "guest", event: "guest-dies" };
  const adapter = { call: "modify", configuration: { ResourcePath: "n" } };
  const added = disk("Add", 4, { Settings: { Path: "s-e" } });
  const steps: TestCall[] = [
    ["Create", "e", { ...failed("lost"), host: [{ call: "grant" }, added] }],
    ["Delete", "d", { ...done, host: [], guest: [] }],
    ["Delete", "c", { ...done, host: [adapter], guest: [{ name: "x" }] }],
  ];
  const { calls } = expectedBy(
    traceLostDeviations,
    rule,
    judgedTrace([...creates, dies, ...steps]),
  )!;
  assertEquals(calls.slice(2).map(({ host }) => host), [
    [{ call: "grant" }, added, disk("Remove", 4)],
    [disk("Remove", 3)],
    [disk("Remove", 2), disk("Remove", 1), share("Remove"), adapter],
  ]);
  assertEquals(calls[4]!.guest, []);
  assertEquals(
    expectedBy(traceLostDeviations, rule, judgedTrace([...creates, ...steps])),
    undefined,
  );
});

Deno.test("a process whose end nobody has seen has status 255", () => {
  const rule = "nobody has seen";
  const reply = (exit_status: number) => ({
    reply: { response: { exit_status } },
  });
  const trace = (status: number) =>
    judgedTrace([["Wait", "c", reply(status)], ["Wait", "d", reply(3)]], {
      c: [{ topic: "/tasks/exit", exit_status: status }],
    });
  const row = (status: number) =>
    expectedBy(traceLostDeviations, rule, trace(status));
  const { calls, events } = row(0xffff_ffff)!;
  assertEquals(calls.map(({ reply }) => reply), [
    reply(255).reply,
    reply(3).reply,
  ]);
  assertEquals(events.c![0]!.exit_status, 255);
  assertEquals(row(137), undefined);
});
