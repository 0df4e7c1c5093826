/**
 * Rows of the table of deviations about containers. They apply to every part of
 * an output that a container was created in: with stand-ins for its devices, with
 * the real ones, and beside another container.
 *
 * @module
 */

import type { Json, JsonObject } from "../../base/json.ts";
import { windowsBaseName } from "../../base/windows_path.ts";
import type { PeerDefectId } from "../golden/peer_defects.ts";
import type { Deviation, Judged } from "./deviation.ts";
import { listOf, objectOf, objectsOf, textOf, without } from "./json.ts";
import { entriesAfter, FailureCounter, undoCalls } from "./release_model.ts";

/** One container of a case, and what is expected of it. */
interface Part {
  /** What the peer was given for this container. */
  readonly input: JsonObject;
  /** Calls, error, state, document, deletes. */
  readonly part: JsonObject;
  /** Which calls fail. */
  readonly failures: JsonObject;
}

/** What a row makes of one container; undefined where it says nothing. */
type Rule = (part: Part) => JsonObject | undefined;

/** Applies a rule to all containers of an output. */
function everywhere(rule: Rule): NonNullable<Deviation["expected"]> {
  return ({ input, output }: Judged) => {
    let applied = false;
    const apply = (
      part: JsonObject,
      failures: Json | undefined,
      given = input,
    ): JsonObject => {
      const result = rule({ input: given, part, failures: objectOf(failures) });
      applied ||= result !== undefined;
      return result ?? part;
    };
    const result: JsonObject = { ...output };
    if (output.controller !== undefined) {
      const controller = objectOf(output.controller);
      result.controller = apply(controller, input.failures);
    }
    if (output.wire !== undefined) {
      const wire = apply(objectOf(output.wire), input.wireFailures);
      const { second } = wire;
      result.wire = second === undefined ? wire : {
        ...wire,
        second: apply(objectOf(second), input.wireFailures, {
          ...input,
          ...objectOf(input.second),
        }),
      };
    }
    if (output.document !== undefined || output.error !== undefined) {
      const top = apply(without(output, "controller", "wire"), input.failures);
      const { controller, wire } = result;
      return applied
        ? {
          ...top,
          ...(controller === undefined ? {} : { controller }),
          ...(wire === undefined ? {} : { wire }),
        }
        : undefined;
    }
    return applied ? result : undefined;
  };
}

function canForget(input: JsonObject): boolean {
  const { deleteContainerStateSupported } = objectOf(input.guestCapabilities);
  return deleteContainerStateSupported === true;
}

/** Calls that only give something back. */
function isRelease(call: JsonObject): boolean {
  const { RequestType } = objectOf(call.request);
  return RequestType === "Remove" ||
    /\.(Remove|Delete|Unmap)\w+$/.test(textOf(call.call));
}

/** The calls of a create, without those of its undo. */
function madeCalls(calls: readonly JsonObject[]): JsonObject[] {
  const first = calls.findIndex(isRelease);
  return calls.slice(0, first < 0 ? calls.length : first);
}

/** True when a disk was attached, and the guest then failed to mount it. */
function failedMount(calls: readonly JsonObject[]): boolean {
  return calls.some(({ fails, request }) =>
    fails !== undefined &&
    objectOf(request).ResourceType === "MappedVirtualDisk"
  );
}

/** A disk that is attached and cannot be mounted is given back, and the rest. */
const wholeUndo: Rule = ({ input, part, failures }) => {
  if (part.error === undefined || part.calls === undefined) return undefined;
  const made = madeCalls(objectsOf(part.calls));
  if (!failedMount(made)) return undefined;
  const counter = new FailureCounter(failures);
  for (const call of made) counter.mark(call);
  const entries = entriesAfter(made, canForget(input));
  return { ...part, calls: [...made, ...undoCalls(entries, counter)] };
};

/** A container that the guest never heard of is not deleted there. */
const noForget: Rule = ({ part }) => {
  const calls = objectsOf(part.calls);
  const wasHeard = calls.some(({ call }) => call === "guest.CreateContainer");
  const kept = calls.filter(({ call }) =>
    call !== "guest.DeleteContainerState"
  );
  return part.error === undefined || wasHeard || kept.length === calls.length
    ? undefined
    : { ...part, calls: kept };
};

/** A second attempt goes on where the first stopped. */
const retriedOnce: Rule = ({ input, part }) => {
  const [first, second] = objectsOf(part.delete);
  if (first === undefined || second === undefined) return undefined;
  const done = new Set(
    objectsOf(first.calls).filter(({ fails }) => fails === undefined)
      .map((call) => JSON.stringify(call)),
  );
  const isRepeated = objectsOf(second.calls)
    .some((call) => done.has(JSON.stringify(call))) ||
    / not found$/.test(textOf(second.error));
  if (!isRepeated) return undefined;
  const entries = entriesAfter(objectsOf(part.calls), canForget(input));
  const all = entries.flatMap(({ calls }) => calls);
  const left = all.slice(objectsOf(first.calls).length - 1);
  return { ...part, delete: [first, { calls: left, exitStatus: 0 }] };
};

/** Refused before anything was done: it can be created again. */
const stillNew: Rule = ({ part }) =>
  /\bparse lcow layers: |\blinux section must be present/
      .test(textOf(part.error)) && part.state !== undefined
    ? { ...part, calls: [], state: "NotCreated" }
    : undefined;

/** A refusal where the peer goes on. */
function refused(part: JsonObject, error: string): JsonObject {
  return part.state === undefined
    ? { error }
    : { calls: [], error, state: "NotCreated" };
}

function layerOption(input: JsonObject, name: string): string | undefined {
  const [mount] = objectsOf(input.rootfs);
  return listOf(mount?.options).map(textOf)
    .find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Options without which a root file system is none, by the type of the mount. */
const layerOptions: Readonly<Record<string, readonly string[]>> = {
  "lcow-layer": ["parentLayerPaths"],
  "lcow-partitioned-layer": ["parent-partitioned-layers", "scratch"],
};

const wantsLayers: Rule = ({ input, part }) => {
  if (part.error !== undefined) return undefined;
  const [mount] = objectsOf(input.rootfs);
  const missing = layerOptions[textOf(mount?.type)]?.find((name) =>
    [undefined, "", "null", "[]"].includes(layerOption(input, name))
  );
  return missing === undefined
    ? undefined
    : refused(part, `option "${missing}" names nothing`);
};

const hostNamespace: Rule = ({ input, part }) => {
  const { namespaces } = objectOf(objectOf(input.spec).linux);
  const found = objectsOf(namespaces).find(({ type, path }) =>
    type === "network" && Boolean(path)
  );
  return found === undefined
    ? undefined
    : refused(part, `network namespace "${textOf(found.path)}"`);
};

/** The document names the file, not the directory around it. */
const namedFile: Rule = ({ input, part }) => {
  const document = objectOf(part.document);
  const spec = objectOf(document.OciSpecification);
  const files = objectOf(input.hostFiles);
  let isFile = false;
  const mounts = objectsOf(objectOf(input.spec).mounts).map((mount, index) => {
    const written = objectsOf(spec.mounts)[index] ?? {};
    const source = textOf(mount.source);
    if (
      mount.type !== "bind" || files[source.replaceAll("/", "\\")] !== "file"
    ) return written;
    isFile = true;
    const name = windowsBaseName(source);
    return { ...written, source: `${textOf(written.source)}/${name}` };
  });
  if (!isFile || part.document === undefined) return undefined;
  const named = { ...document, OciSpecification: { ...spec, mounts } };
  return { ...part, document: named };
};

/** What we do, why, what that makes of a container, the peer's fault behind it. */
type Row = [ours: string, reason: string, rule: Rule, defect?: PeerDefectId];

/** The rows. */
export const containerDeviations: readonly Deviation[] = ([
  [
    "layers that cannot be read, or no linux section, leave the container new",
    "nothing was begun: the client may correct its request and try again",
    stillNew,
  ],
  [
    "a root file system has at least one layer and a scratch disk",
    "without a layer there is nothing to run, an empty scratch path is no disk",
    wantsLayers,
  ],
  [
    "a network namespace of a Linux host is refused",
    "it is a path of the machine that runs containerd; the VM has no such path",
    hostNamespace,
  ],
  [
    "a single file is mounted from <share>/<name>",
    "the peer leaves the name out, so the container gets a directory",
    namedFile,
  ],
  [
    "a disk whose mount failed is detached, and what comes after it is released",
    "the peer can never unmount it, stops there, and leaves it attached",
    wholeUndo,
  ],
  [
    "a failed create deletes nothing that the guest never heard of",
    "it would delete the container of another pod with that id (deviations 9)",
    noForget,
  ],
  [
    "a repeated delete goes on where it stopped",
    "the peer releases layers a second time and can never succeed",
    retriedOnce,
    "repeated-delete",
  ],
] satisfies Row[]).map(([ours, reason, rule, defect]: Row) => ({
  set: "container-doc",
  ours,
  reason,
  ...(defect === undefined ? {} : { defect }),
  expected: everywhere(rule),
}));
