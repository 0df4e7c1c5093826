/**
 * The faults of the peer that recordings name (`peerDefects`), each with the id
 * that a regression test of ours carries in its name, as `peer:<id>`: it shows our
 * better answer.
 *
 * @module
 */

/** One fault. */
export interface PeerDefect {
  /** Id, without `peer:`. */
  readonly id: string;
  /** How the sentences begin that the recordings say of it. */
  readonly said: readonly string[];
}

/** All faults that are known. */
export const peerDefects = [
  {
    id: "failed-create",
    said: ["A container whose create failed stays in the list of the pod"],
  },
  {
    id: "failed-pod",
    said: [
      "A pod whose sandbox container could not be created stays registered",
      "When only the network failed the pod is not registered.",
    ],
  },
  {
    id: "repeated-id",
    said: [
      "A container create that repeats the id of a container of another pod",
      "The first container can no longer be reached",
    ],
  },
  {
    id: "refused-delete",
    said: ["A refused delete of the sandbox container has already released"],
  },
  {
    id: "sandbox-first",
    said: ["After the exit of the VM the sandbox container can be deleted"],
  },
  {
    id: "wait-sandbox",
    said: [
      "WaitSandbox races with the bookkeeping of the exit",
      "The intended answer is 1359 for an unexpected exit and 0 otherwise.",
    ],
  },
  {
    id: "wait-unstarted",
    said: ["WaitSandbox on a sandbox that is stopped before it was started"],
  },
  {
    id: "lost-status",
    said: ["The exit status of processes lost with the guest is reported as"],
  },
  {
    id: "binary-delete",
    said: ["The delete action of the binary always fails"],
  },
  {
    id: "vm-files",
    said: ["the copied guest state and root file system are removed again"],
  },
  {
    id: "repeated-delete",
    said: ["the retry releases the read-only layers a second time"],
  },
  {
    id: "no-specification",
    said: ["the guest agent crashes (nil dereference)"],
  },
  { id: "unknown-start", said: ["Start of an unknown container succeeds"] },
  {
    id: "vm-processes",
    said: ["signals and resizes for processes of the VM itself"],
  },
] as const satisfies readonly PeerDefect[];

/** The id of a fault. */
export type PeerDefectId = (typeof peerDefects)[number]["id"];

/**
 * The sentences of an entry that speak of no known fault.
 *
 * @param entry One element of `peerDefects`.
 */
export function unknownIn(entry: string): string[] {
  const known = peerDefects.flatMap<string>(({ said }) => said);
  return entry.split(/(?<=\.)\s+(?=[A-Z])/).filter((sentence) =>
    !known.some((start) => sentence.startsWith(start))
  );
}
