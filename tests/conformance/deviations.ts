/**
 * Where we differ from the recorded peer on purpose: one row per difference, with
 * what we give instead. A row is a rule over inputs, calls and fields; it knows no
 * names of files or cases, so that unseen recordings are judged alike.
 *
 * @module
 */

import type { JsonObject } from "../../base/json.ts";
import { windowsBaseName } from "../../base/windows_path.ts";
import { containerDeviations } from "./container_deviations.ts";
import type { Deviation } from "./deviation.ts";
import { guestDeviations } from "./guest_deviations.ts";
import { objectOf, objectsOf, textOf, without } from "./json.ts";
import { sequenceWithoutHoles } from "./sequence_model.ts";
import { traceCreateDeviations } from "./trace_create_deviations.ts";
import { traceDeviations } from "./trace_deviations.ts";
import { traceDiagDeviations } from "./trace_diag_deviations.ts";
import {
  traceLostDeviations,
  traceTakenDeviations,
} from "./trace_lost_deviations.ts";
import { tracePodDeviations } from "./trace_pod_deviations.ts";
import { traceSandboxDeviations } from "./trace_sandbox_deviations.ts";
import { layOutTogether, overlaps } from "./trace_together.ts";

/** The disk that a VM boots from, in its document. */
function bootDiskPath(devices: JsonObject): string {
  const [disk] = Object.values(objectOf(devices.Scsi)).flatMap((controller) =>
    Object.values(objectOf(objectOf(controller).Attachments))
  );
  return textOf(objectOf(disk).Path);
}

/** The table. */
export const deviations: readonly Deviation[] = [
  {
    set: "hcs-doc",
    ours: "without options a VM gets the platform of its host",
    reason: "containerd's CRI plugin and ctr send none (deviations 4)",
    sameAs: (input) =>
      input.options === null
        ? { ...input, options: { sandbox_platform: "linux/amd64" } }
        : undefined,
  },
  {
    set: "hcs-doc",
    ours: "the files of an isolated VM stay in its bundle",
    reason:
      "the peer removes them although the call succeeds; the VM is made of them",
    defect: "vm-files",
    expected: ({ output }) => {
      const machine = objectOf(objectOf(output.document).VirtualMachine);
      const state = objectOf(machine.GuestState).GuestStateFilePath;
      if (state === undefined) return undefined;
      const disk = bootDiskPath(objectOf(machine.Devices));
      const names = [textOf(state), disk].map(windowsBaseName);
      return { ...output, bundleFilesAfter: names.sort() };
    },
  },
  {
    set: "hcs-doc",
    ours: "a refused request leaves the annotations as they were",
    reason: "the peer writes defaults and groups into the caller's record",
    expected: ({ output }) =>
      output.error === undefined || output.annotationsAfter === undefined
        ? undefined
        : without(output, "annotationsAfter"),
  },
  ...containerDeviations,
  ...guestDeviations,
  ...traceDeviations,
  ...traceTakenDeviations,
  ...traceCreateDeviations,
  ...tracePodDeviations,
  ...traceLostDeviations,
  ...traceSandboxDeviations,
  ...traceDiagDeviations,
  {
    set: "trace",
    ours: "the requests of calls that overlap interleave in our own way",
    reason: "nothing is said of their order, but for those of one container",
    expected: ({ input, output }) => {
      const groups = overlaps(objectsOf(input.events));
      return groups.length === 0 || output.calls === undefined
        ? undefined
        : layOutTogether(output, groups);
    },
  },
  {
    set: "hcs-modify",
    ours: "an update of an adapter without settings cannot be asked for",
    reason:
      "the type of the function has settings; updates are never sent anyway",
    expected: ({ input, output }) =>
      input.op === "update" && input.nicId !== undefined &&
        input.endpointId === undefined
        ? without(output, "error")
        : undefined,
  },
  {
    set: "hcs-modify",
    ours:
      "devices that failed, were never mapped or belong to the VM are counted",
    reason:
      "the peer leaks a disk that was never mapped or whose mount failed, lets one holder take a device from others, and attaches the disk that the VM booted from (host-controllers 6 and 7)",
    expected: ({ input, output }) => sequenceWithoutHoles(input, output),
  },
];
