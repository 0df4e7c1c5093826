/**
 * `docs/controllers.md`: a diagram of every state table that the host's side
 * executes, made from the tables themselves.
 *
 * Usage: `tests/docs/controllers.ts` writes the file.
 *
 * @module
 */

import type { States } from "../../base/states.ts";
import {
  shareMountStates,
  shareStates,
} from "../../controllers/device/plan9/states.ts";
import {
  diskStates,
  mountStates,
} from "../../controllers/device/scsi/states.ts";
import { deviceStates } from "../../controllers/device/vpci/states.ts";
import { containerStates } from "../../controllers/linux_container/states.ts";
import { networkStates } from "../../controllers/network/states.ts";
import { processStates } from "../../controllers/process/states.ts";
import { vmStates } from "../../controllers/vm/states.ts";
import { taskStates } from "../../shim/task_states.ts";

/** A state table of any kind. */
type Table = Pick<States<string, string>, "name" | "initial"> & {
  readonly transitions: readonly (readonly [string, string, string])[];
};

interface Section {
  readonly title: string;
  /** Where the table and its rules are. */
  readonly folder: string;
  readonly text: string;
  readonly tables: readonly Table[];
}

const sections: readonly Section[] = [
  {
    title: "Task",
    folder: "shim",
    text: "What containerd knows as a task: one container and its processes.",
    tables: [taskStates],
  },
  {
    title: "VM",
    folder: "controllers/vm",
    text:
      "The utility VM of a sandbox, which has the controllers of its devices.",
    tables: [vmStates],
  },
  {
    title: "Network",
    folder: "controllers/network",
    text: "The adapters of one pod, from its first container to its last one.",
    tables: [networkStates],
  },
  {
    title: "Linux container",
    folder: "controllers/linux_container",
    text: "One container: what it holds in host and guest is in its ledger.",
    tables: [containerStates],
  },
  {
    title: "Process",
    folder: "controllers/process",
    text: "The init process of a container, or an exec.",
    tables: [processStates],
  },
  {
    title: "SCSI disks",
    folder: "controllers/device/scsi",
    text: "Disks and their mounted partitions; containers may share both.",
    tables: [diskStates, mountStates],
  },
  {
    title: "Plan9 shares",
    folder: "controllers/device/plan9",
    text: "Directories and files of the host, and their mounts in the guest.",
    tables: [shareStates, shareMountStates],
  },
  {
    title: "PCI devices",
    folder: "controllers/device/vpci",
    text: "Devices of the host that the VM has while it runs.",
    tables: [deviceStates],
  },
];

/** A table as a Mermaid diagram. */
export function diagram({ initial, transitions }: Table): string {
  return [
    "```mermaid",
    "stateDiagram-v2",
    `  [*] --> ${initial}`,
    ...transitions.map(([from, event, to]) => `  ${from} --> ${to}: ${event}`),
    "```",
  ].join("\n");
}

/** The whole document. */
export function controllersDocument(): string {
  const parts = sections.map(({ title, folder, text, tables }) =>
    [
      `## ${title}`,
      "",
      text,
      "",
      `Table: \`${folder}\`.`,
      ...tables.flatMap((table) => ["", diagram(table)]),
      "",
    ].join("\n")
  );
  return [
    "# States of the controllers",
    "",
    "Made from the state tables by `deno task docs`; a test fails when a table has",
    "changed and this file has not. An event that no arrow shows is refused with",
    "FailedPrecondition. Why tables: [ADR 2](adr/0002-tables-as-data.md).",
    "",
    ...parts,
  ].join("\n");
}

/** Where it stands. */
export const controllersPath = new URL(
  "../../docs/controllers.md",
  import.meta.url,
);

if (import.meta.main) {
  await Deno.writeTextFile(controllersPath, controllersDocument());
}
