import { assertEquals } from "@std/assert";
import type { Json, JsonObject } from "../../../base/json.ts";
import {
  assertAgrees,
  list,
  object,
  plain,
  playSteps,
} from "../../testing/device_golden.ts";
import { goldenCases } from "../../testing/golden.ts";
import { addRequest, removeRequest, type ShareConfig } from "./config.ts";
import { Plan9Controller } from "./controller.ts";

function shareOf(value: Json | undefined): ShareConfig {
  const share = object(value);
  return {
    hostPath: String(share.HostPath),
    readOnly: share.ReadOnly === true,
    restrict: share.Restrict === true,
    allowedNames: list(share.AllowedNames).map(String),
  };
}

Deno.test("Plan9 sequences give the recorded requests, paths and refusals", async () => {
  const cases = await goldenCases("hcs-modify", ["plan9-sequences"]);
  if (cases === undefined) return;
  for (const entry of cases) {
    const noWritableFileShares = entry.input.noWritableFileShares === true;
    const ours = await playSteps(entry, (peers) => {
      const plan9 = new Plan9Controller(peers, { noWritableFileShares });
      return {
        reserve: ({ share, mount }) =>
          plan9.reserve(shareOf(share), {
            readOnly: object(mount).ReadOnly === true,
          }),
        map: (id) => plan9.map(id),
        unmap: (id) => plan9.unmap(id),
      };
    });
    assertAgrees(entry, ours);
  }
  console.log(`plan9-sequences: all ${cases.length} cases agree`);
});

/** The request that we make for a recorded share. */
function requestFor(op: Json | undefined, share: JsonObject): unknown {
  const name = String(share.Name);
  if (op === "remove") return removeRequest(name);
  const flags = Number(share.Flags);
  return addRequest(name, {
    hostPath: String(share.Path),
    readOnly: (flags & 0x1) !== 0,
    restrict: (flags & 0x80) !== 0,
    allowedNames: list(share.AllowedFiles).map(String),
  });
}

Deno.test("requests about shares are the recorded ones", async () => {
  const cases = await goldenCases("hcs-modify", ["vm-plan9"]);
  for (const { name, input, output } of cases ?? []) {
    const request = plain(requestFor(input.op, object(input.share)));
    assertEquals([{ to: "vm", request }], output.calls, name);
  }
});
