import { assert, assertEquals } from "@std/assert";
import type { Codec } from "../../base/codec.ts";
import {
  formatJson,
  isJsonObject,
  type Json,
  type JsonObject,
} from "../../base/json.ts";
import * as bridge from "../../bridge/messages.gen.ts";
import * as hcs from "../../hcs/documents.gen.ts";
import { Process, Spec } from "../../oci/spec.gen.ts";
import { asSent, goldenTest, meaning, objects } from "./shared.ts";

/** Asserts that `json` is right, strictly, and comes back with the same meaning. */
function assertRoundTrip<T>(codec: Codec<T>, json: Json, where: string): void {
  const value = codec.validate(json, where);
  assertEquals(meaning(codec.encode(value)), meaning(json), where);
}

/** Asserts that `actual` says all that `expected` says; it may say more. */
function assertHolds(actual: Json, expected: Json, where: string): void {
  if (typeof expected !== "object" || expected === null) {
    assertEquals(meaning(actual), meaning(expected), where);
    return;
  }
  for (const [name, value] of Object.entries(expected)) {
    const member = (actual as JsonObject)[name];
    assertHolds(member as Json, value, `${where}.${name}`);
  }
}

function cases(recording: JsonObject): JsonObject[] {
  return recording.cases as JsonObject[];
}

goldenTest(
  "every recorded VM document is valid and survives",
  "hcs-doc",
  (file, recording) => {
    for (const { name, output } of cases(recording)) {
      const { document } = output as JsonObject;
      if (document === undefined) continue;
      const where = `${file} "${name}"`;
      assertRoundTrip(hcs.ComputeSystemDocument, document, where);
    }
  },
);

goldenTest(
  "every recorded container document is valid, and its specification survives",
  "container-doc",
  (file, recording) => {
    const documents = objects(
      recording,
      (object) => "OciSpecification" in object && "SchemaVersion" in object,
    );
    for (const document of documents) {
      assertRoundTrip(bridge.ContainerDocument, document, file);
      assertRoundTrip(Spec, document.OciSpecification as Json, file);
    }
    for (const { input } of cases(recording)) {
      const { spec } = input as JsonObject;
      const written = Spec.encode(Spec.decode(spec as Json, file));
      assertHolds(written, spec as Json, file);
    }
  },
);

/** Settings of modify requests to the compute service, by the end of their path. */
const vmSettings: readonly [RegExp, Codec<unknown>][] = [
  [/\/Scsi\/[^/]+\/Attachments\/\d+$/, hcs.ScsiAttachment],
  [/\/Plan9\/Shares$/, hcs.Plan9Share],
  [/\/VirtualPci\/[^/]+$/, hcs.VirtualPciDevice],
  [/\/NetworkAdapters\/[^/]+$/, hcs.NetworkAdapter],
  [/\/Processor\/Limits$/, hcs.ProcessorLimits],
  [/\/Processor\/CpuGroup$/, hcs.CpuGroup],
  [/\/ServiceTable\/[^/]+$/, hcs.HvSocketServiceConfig],
];

const guestSettings: Readonly<Record<string, Codec<unknown>>> = {
  SCSIDevice: bridge.SCSIDevice,
  MappedVirtualDisk: bridge.MappedVirtualDisk,
  MappedDirectory: bridge.MappedDirectory,
  CombinedLayers: bridge.CombinedLayers,
  Network: bridge.NetworkAdapter,
  VPCIDevice: bridge.VPCIDevice,
  ContainerConstraints: bridge.ContainerConstraints,
  SecurityPolicy: bridge.SecurityPolicy,
  SecurityPolicyFragment: bridge.SecurityPolicyFragment,
};

goldenTest(
  "every recorded modification is valid and survives, with its settings",
  "hcs-modify",
  (file, recording) => {
    const calls = [...objects(recording, (object) => "to" in object)];
    assert(calls.length > 0);
    for (const { to, request } of calls) {
      const { ResourcePath, ResourceType, Settings } = request as JsonObject;
      const where = `${file} ${ResourcePath ?? ResourceType}`;
      if (to === "vm") {
        assertRoundTrip(hcs.ModifySettingRequest, request as Json, where);
        const [, codec] = vmSettings.find(([path]) =>
          path.test(String(ResourcePath))
        ) ?? [];
        if (codec !== undefined && Settings !== undefined) {
          assertRoundTrip(codec, Settings, where);
        } else assert(!isJsonObject(Settings ?? 0), where);
      } else {
        assertRoundTrip(bridge.ModifyRequest, request as Json, where);
        const codec = guestSettings[String(ResourceType)];
        if (Settings !== undefined) {
          assert(codec, where);
          assertRoundTrip(codec, Settings, where);
        }
      }
    }
  },
);

/** Messages by their name in the recordings. */
const messages: Readonly<Record<string, Codec<unknown>>> = {
  "Request(Create)": bridge.CreateRequest,
  "Request(Start)": bridge.RequestBase,
  "Request(ExecuteProcess)": bridge.ExecuteProcessRequest,
  "Request(WaitForProcess)": bridge.WaitForProcessRequest,
  "Request(SignalProcess)": bridge.SignalProcessRequest,
  "Request(ResizeConsole)": bridge.ResizeConsoleRequest,
  "Request(GetProperties)": bridge.GetPropertiesRequest,
  "Request(ModifySettings)": bridge.ModifySettingsRequest,
  "Request(NegotiateProtocol)": bridge.NegotiateRequest,
  "Request(DumpStacks)": bridge.RequestBase,
  "Request(DeleteContainerState)": bridge.RequestBase,
  "Response(NegotiateProtocol)": bridge.NegotiateResponse,
  "Response(ExecuteProcess)": bridge.ExecuteProcessResponse,
  "Response(WaitForProcess)": bridge.WaitForProcessResponse,
  "Response(GetProperties)": bridge.GetPropertiesResponse,
  "Response(DumpStacks)": bridge.DumpStacksResponse,
  "Response(Create)": bridge.CreateResponse,
  "Notify(Container)": bridge.ContainerNotification,
};

goldenTest(
  "every recorded bridge frame is valid and survives",
  "trace",
  (file, recording) => {
    const frames = [...objects(recording, (object) => object.log === "bridge")];
    for (const { name, payload } of frames) {
      const where = `${file} ${name}`;
      // Null means absent; a kill is recorded with "Options":null.
      const sent = JSON.parse(
        formatJson(asSent(payload as Json, formatJson)),
        (key, value) => key === "Options" && value === null ? undefined : value,
      ) as JsonObject;
      const failed = sent.Result !== undefined && sent.Result !== 0;
      const codec = failed ? undefined : messages[String(name)];
      const known = codec ?? bridge.ResponseBase;
      if (codec === undefined) delete sent.SelectedProtocolVersion;
      const value = known.validate(sent, where);
      const empty = (key: string, json: Json) =>
        key === "ErrorRecords" && Array.isArray(json) && json.length === 0;
      const expected = Object.fromEntries(
        Object.entries(sent).filter(([key, json]) => !empty(key, json)),
      );
      assertEquals(meaning(known.encode(value)), meaning(expected), where);
    }
    for (const { OciProcess } of objects(recording, (o) => "OciProcess" in o)) {
      assertRoundTrip(Process, OciProcess as Json, file);
    }
  },
);
