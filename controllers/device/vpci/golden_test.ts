import { assertEquals } from "@std/assert";
import { formatJson, parseJson } from "../../../base/json.ts";
import { VirtualPciDevice } from "../../../hcs/documents.gen.ts";
import {
  assertAgrees,
  list,
  object,
  plain,
  playSteps,
  type StepResult,
} from "../../testing/device_golden.ts";
import { goldenCases } from "../../testing/golden.ts";
import { assignRequest, removeRequest } from "./config.ts";
import { VpciController } from "./controller.ts";

/** Names random ids by the order in which they appear, as the recordings do. */
function withoutGuids(results: readonly StepResult[]): StepResult[] {
  const names = new Map<string, string>();
  const guid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
  return results.map(({ calls, ...outcome }) => {
    const text = formatJson(calls).replace(guid, (found) => {
      const name = names.get(found) ?? `<guid-${names.size}>`;
      names.set(found, name);
      return name;
    });
    return { ...outcome, calls: list(parseJson(text)) };
  });
}

Deno.test("vPCI sequences give the recorded requests and refusals", async () => {
  const cases = await goldenCases("hcs-modify", ["vpci-sequences"]);
  if (cases === undefined) return;
  for (const entry of cases) {
    const ours = await playSteps(entry, (peers) => {
      const vpci = new VpciController(peers);
      return {
        reserve: ({ device }) => {
          const { DeviceInstanceID, VirtualFunctionIndex } = object(device);
          return vpci.reserve({
            instancePath: String(DeviceInstanceID),
            virtualFunction: Number(VirtualFunctionIndex),
          });
        },
        map: (id) => vpci.map(id),
        unmap: (id) => vpci.unmap(id),
      };
    });
    assertAgrees(entry, withoutGuids(ours));
  }
  console.log(`vpci-sequences: all ${cases.length} cases agree`);
});

Deno.test("requests about devices are the recorded ones", async () => {
  const cases = await goldenCases("hcs-modify", ["vm-vpci"]);
  for (const { name, input, output } of cases ?? []) {
    const guid = String(input.vmbusGuid);
    const request = input.op === "remove"
      ? removeRequest(guid)
      : assignRequest(guid, VirtualPciDevice.decode(input.device ?? null));
    assertEquals([{ to: "vm", request: plain(request) }], output.calls, name);
  }
});
