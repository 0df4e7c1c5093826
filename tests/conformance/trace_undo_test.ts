import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import { leftAfterUndo } from "./trace_undo.ts";

const host = (RequestType: string, ResourcePath: string, Name?: string) => ({
  call: "modify",
  configuration: {
    ResourcePath,
    RequestType,
    ...(Name === undefined ? {} : { Settings: { Name } }),
  },
});

const guest = (
  RequestType: string,
  ResourceType: string,
  Settings: JsonObject,
) => ({
  name: "ModifySettings",
  Request: { RequestType, ResourceType, Settings },
});

const mount = { MountPath: "/run/mounts/scsi/0_2_0" };
const layers = { ContainerID: "c" };

Deno.test("a create and its delete leave nothing when all is taken back", () => {
  assertEquals(
    leftAfterUndo([
      host("Add", "Scsi/2"),
      { call: "grant", path: "C:\\s.vhdx" },
      host("Add", "Plan9/Shares", "0"),
      host("Remove", "Scsi/2"),
      host("Remove", "Plan9/Shares", "0"),
    ], [
      guest("Add", "MappedVirtualDisk", mount),
      guest("Add", "CombinedLayers", layers),
      { name: "Create", ContainerId: "c" },
      guest("Remove", "CombinedLayers", layers),
      { name: "DeleteContainerState", ContainerId: "c" },
      guest("Remove", "MappedVirtualDisk", mount),
      guest("Remove", "SCSIDevice", { Lun: 2 }),
    ]),
    [],
  );
});

Deno.test("what is left, and what was never there, is named", () => {
  assertEquals(
    leftAfterUndo([
      host("Add", "Plan9/Shares", "0"),
      host("Remove", "Plan9/Shares", "1"),
    ], [
      guest("Remove", "MappedVirtualDisk", mount), // before it was there
      guest("Add", "MappedVirtualDisk", mount),
      { name: "Create", ContainerId: "c" },
    ]),
    [
      "Plan9/Shares/0",
      "never there: Plan9/Shares/1",
      "MappedVirtualDisk /run/mounts/scsi/0_2_0",
      "container c",
      "never there: MappedVirtualDisk /run/mounts/scsi/0_2_0",
    ],
  );
});
