/**
 * Rows of the table of deviations about traces in which a create fails: for the
 * peer only, or for both, and then leaves something with the peer.
 *
 * @module
 */

import type { JsonObject } from "../../base/json.ts";
import { windowsBaseName } from "../../base/windows_path.ts";
import { cri } from "../../oci/annotations.ts";
import { Options } from "../../ttrpc/api/runhcs_options.gen.ts";
import type { Deviation } from "./deviation.ts";
import { objectOf, objectsOf, textOf } from "./json.ts";
import { onCalls } from "./trace_deviations.ts";
import { networkTeardown, onSteps, type Step } from "./trace_steps.ts";
import { wholeUndo } from "./trace_undo.ts";

/** Whatever the message: what is asked for is not there. */
const notFound = { code: "NotFound", error: "" };

/** A create that the peer refuses and we do; the replay takes it back. */
function created(call: JsonObject): JsonObject {
  return {
    ...call,
    reply: { response: {} },
    host: [],
    guest: [],
    undone: wholeUndo,
  };
}

function isRefused({ method, reply }: Step): boolean {
  return method === "Create" && reply.error !== undefined;
}

/** True for a container that CRI has not made, or not with its annotations. */
function isWithoutCri({ spec }: Step): boolean {
  const annotations = objectOf(spec.annotations);
  const { containerType, sandboxId } = cri;
  return textOf(annotations[containerType]) === "" &&
    textOf(annotations[sandboxId]) === "" && spec.ociVersion !== undefined;
}

/** True for the first container of a pod for which no network is named. */
function isWithoutNetwork({ spec, id }: Step): boolean {
  const annotations = objectOf(spec.annotations);
  const network = objectOf(objectOf(spec.windows).network);
  return annotations[cri.containerType] === "sandbox" &&
    annotations[cri.sandboxId] === id &&
    network.networkNamespace === undefined &&
    network.endpointList === undefined;
}

/** Methods about a task that a client has created before. */
const aboutTask: ReadonlySet<string> = new Set([
  "CloseIO",
  "Delete",
  "Exec",
  "Kill",
  "Pids",
  "ResizePty",
  "Start",
  "State",
  "Stats",
  "Update",
  "Wait",
]);

/** The share of a file, by its name: the file. */
function filesOf(call: JsonObject): Map<string, string> {
  const shares = objectsOf(call.host).map(({ configuration }) =>
    objectOf(objectOf(configuration).Settings)
  );
  return new Map(
    shares.filter(({ AllowedFiles }) => Array.isArray(AllowedFiles)).map((
      { Name, AllowedFiles },
    ) => [textOf(Name), textOf((AllowedFiles as string[])[0])]),
  );
}

/** A create whose document names the files themselves. */
function withFiles(call: JsonObject): JsonObject | undefined {
  const files = filesOf(call);
  if (files.size === 0) return undefined;
  const named = (mount: JsonObject): JsonObject => {
    const [, share] = /^\/run\/mounts\/plan9\/(\d+)$/
      .exec(textOf(mount.source)) ?? [];
    const file = files.get(share ?? "");
    return file === undefined ? mount : {
      ...mount,
      source: `${textOf(mount.source)}/${windowsBaseName(file)}`,
    };
  };
  const guest = objectsOf(call.guest).map((request) => {
    if (request.name !== "Create") return request;
    const document = objectOf(request.ContainerConfig);
    const spec = objectOf(document.OciSpecification);
    const OciSpecification = {
      ...spec,
      mounts: objectsOf(spec.mounts).map(named),
    };
    return { ...request, ContainerConfig: { ...document, OciSpecification } };
  });
  return { ...call, guest };
}

/** True when the network of a pod was set up and not taken down again. */
function leavesNetwork({ call }: Step): boolean {
  const requests = objectsOf(call.guest).map(({ Request }) => objectOf(Request))
    .filter(({ ResourceType }) => ResourceType === "Network");
  return requests.length > 0 &&
    requests.every(({ RequestType }) => RequestType === "Add");
}

/** See the module. */
export const traceCreateDeviations: readonly Deviation[] = [
  {
    set: "trace",
    ours: "a single file is mounted from <share>/<name>",
    reason: "the peer leaves the name out, so the container gets a directory",
    expected: onCalls(withFiles),
  },
  {
    set: "trace",
    ours: "a container whose create failed is not there",
    reason:
      "the peer keeps it, and answers by a state that no client can change",
    defect: "failed-create",
    expected: onSteps(({ call, method, id, reply, present, refused }) =>
      aboutTask.has(method) && refused.has(id) && !present.has(id) &&
        reply.code !== "NotFound"
        ? { ...call, reply: notFound, host: [], guest: [] }
        : undefined
    ),
  },
  {
    set: "trace",
    ours: "a container whose create failed can be created again",
    reason: "the peer keeps it, or its pod, so that the id is taken for ever",
    defect: "failed-create",
    expected: onSteps((step) => {
      const { call, id, reply, present, refused } = step;
      return isRefused(step) && refused.has(id) && !present.has(id) &&
          /\balready exists\b/.test(textOf(reply.error))
        ? created(call)
        : undefined;
    }),
  },
  {
    set: "trace",
    ours: "the network of a pod goes with its first container's failed create",
    reason: "the peer leaves it in the VM, for a pod that nobody can delete",
    defect: "failed-pod",
    expected: onSteps((step) => {
      if (!isRefused(step) || !leavesNetwork(step)) return undefined;
      const { call } = step;
      const { host, guest } = networkTeardown(call);
      return {
        ...call,
        host: [...objectsOf(call.host), ...host],
        guest: [...objectsOf(call.guest), ...guest],
      };
    }),
  },
  {
    set: "trace",
    ours: "an id that is taken is refused before anything is done",
    reason:
      "the peer finds out in the guest, and its undo deletes the other container there",
    defect: "repeated-id",
    expected: onSteps((step) => {
      const { call, id, present } = step;
      const isAsked = objectsOf(call.guest).length > 0;
      return isRefused(step) && present.has(id) && isAsked
        ? { ...call, host: [], guest: [] }
        : undefined;
    }),
  },
  {
    set: "trace",
    ours: "a container without CRI's annotations is a pod of one",
    reason: "ctr makes such containers, also in a sandbox",
    expected: onSteps((step) =>
      isRefused(step) && isWithoutCri(step) &&
        /container[- ]type/.test(textOf(step.reply.error))
        ? created(step.call)
        : undefined
    ),
  },
  {
    set: "trace",
    ours: "a pod for which no network is named has none",
    reason: "ctr names none",
    expected: onSteps((step) =>
      isRefused(step) && isWithoutNetwork(step) &&
        /\bnetwork\b/.test(textOf(step.reply.error))
        ? created(step.call)
        : undefined
    ),
  },
  {
    set: "trace",
    ours: "options of a foreign type are ignored",
    reason: "they are another runtime's (deviations 4)",
    expected: onSteps((step) => {
      const type = textOf(objectOf(step.request.options).type_url);
      return isRefused(step) && type !== "" && type !== Options.typeName &&
          textOf(step.reply.error).includes(`type with url ${type}: not found`)
        ? created(step.call)
        : undefined;
    }),
  },
];
