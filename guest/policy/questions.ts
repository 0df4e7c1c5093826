/**
 * What a security policy is asked (`spec/guest-runtime.md` 11.1). The agent finds
 * the facts and says them in a question; an enforcer answers, or refuses.
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
import type {
  LinuxCapabilities,
  LinuxDevice,
  Mount,
} from "../../oci/spec.gen.ts";

/** A user or a group. */
export interface NamedId {
  /** Decimal; empty when nothing is known. */
  readonly id: string;
  /** Empty when the image does not name it. */
  readonly name: string;
}

/** Who a process runs as. */
export interface UserInformation {
  /** Its user. */
  readonly user: NamedId;
  /** Its group, then its further groups. */
  readonly groups: readonly NamedId[];
  /** Four octal digits; empty when nothing is known. */
  readonly umask: string;
}

/** What a process is, for the questions about it. */
export interface ProcessFacts {
  /** Program and arguments. */
  readonly argv: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  /** Working directory; may be empty. */
  readonly cwd: string;
}

/** The same of a process in a container. */
export interface ContainerProcessFacts extends ProcessFacts, UserInformation {
  /** Id of the container. */
  readonly id: string;
  /** execve(2) gives no new privileges. */
  readonly noNewPrivileges: boolean;
  /** Its capabilities; undefined is none. */
  readonly capabilities: LinuxCapabilities | undefined;
}

/** What is known of a container that is to be made. */
export interface ContainerFacts extends ContainerProcessFacts {
  /** Id of its pod. */
  readonly sandboxId: string;
  /** It is the sandbox of its pod. */
  readonly isSandbox: boolean;
  /** It asks for all devices. */
  readonly isPrivileged: boolean;
  /** Its mounts, as the runtime gets them. */
  readonly mounts: readonly Mount[];
  /** SHA-256 of its seccomp profile, lower-case hex; empty without one. */
  readonly seccomp: string;
  /** Its devices as the host listed them. */
  readonly devices: readonly LinuxDevice[];
}

/** One place in the VM. */
interface At {
  /** Where it is mounted. */
  readonly path: string;
}

/** What each question says. */
export interface Questions {
  /** A link to a disk. */
  readonly "block device mount": At;
  /** The end of such a link. */
  readonly "block device unmount": At;
  /** A read-only disk or memory; its root hash is empty when it has none. */
  readonly "device mount": At & { readonly rootHash: string };
  /** The end of such a mount. */
  readonly "device unmount": At;
  /** A disk that can be written. */
  readonly "read-write device mount": At & {
    readonly encrypted: boolean;
    readonly ensureFilesystem: boolean;
    readonly filesystem: string;
  };
  /** The end of such a mount. */
  readonly "read-write device unmount": At;
  /** A share of the host. */
  readonly "plan9 mount": At;
  /** The end of such a mount. */
  readonly "plan9 unmount": At;
  /** A scratch, which an overlay writes to. */
  readonly "scratch mount": At & { readonly encrypted: boolean };
  /** The root of a container. */
  readonly "overlay mount": At & {
    readonly id: string;
    readonly layers: readonly string[];
  };
  /** The end of such a mount. */
  readonly "overlay unmount": At;
  /** Mounts that every container of the guest may have. */
  readonly "default mounts": {
    readonly id: string;
    readonly mounts: readonly Mount[];
  };
  /** A look at the users of a container's image. */
  readonly "user information": { readonly id: string };
  /** A container. */
  readonly "container creation": ContainerFacts;
  /** A container in the network of the VM. */
  readonly "host network": { readonly id: string };
  /** A further process of a container. */
  readonly "exec in container": ContainerProcessFacts;
  /** A process of the VM. */
  readonly "exec in VM": ProcessFacts;
  /** An end that the host asks for. */
  readonly "container shutdown": { readonly id: string };
  /** A signal to a process; its id is the null GUID for those of the VM. */
  readonly "signal": {
    readonly id: string;
    readonly signal: number;
    readonly isInit: boolean;
    readonly argv: readonly string[];
  };
  /** Properties of a container. */
  readonly "properties": { readonly id: string };
  /** A text about what the agent does. */
  readonly "stack dump": Record<never, never>;
  /** Lines of the agent's log. */
  readonly "runtime logging": Record<never, never>;
}

/** Name of a question. */
export type QuestionName = keyof Questions;

/** A question. */
export type Question = {
  [Name in QuestionName]: { readonly name: Name } & Questions[Name];
}[QuestionName];

/** That something is allowed, and how. An empty one leaves all as asked. */
export interface Answer {
  /** Replaces the environment of the process. */
  readonly env?: readonly string[];
  /** Replace the capabilities of the process. */
  readonly capabilities?: LinuxCapabilities;
  /** False gives the process no streams of the host. Default true. */
  readonly allowStdio?: boolean;
}

/** A part that a policy loads. */
export interface PolicyFragment {
  /** A COSE_Sign1 document, as the host sent it: nothing is checked yet. */
  readonly document: Uint8Array<ArrayBuffer>;
  /** What is in it. */
  readonly mediaType: string;
}

/** Decides by a policy. */
export interface PolicyEnforcer {
  /**
   * Answers a question.
   *
   * @throws {ShimError} PermissionDenied, see {@linkcode denial}. Every other
   * error is a refusal, too.
   */
  ask(question: Question): Promise<Answer>;
  /**
   * Checks a fragment and loads it; without this member none can be loaded.
   *
   * @throws When it is not signed by whom the policy trusts.
   */
  addFragment?(fragment: PolicyFragment): Promise<void>;
}

/** What a question asks for, after "Cannot". */
const requests: {
  readonly [Name in QuestionName]: (facts: Questions[Name]) => string;
} = {
  "block device mount": ({ path }) => `link a disk at "${path}"`,
  "block device unmount": ({ path }) => `remove the disk at "${path}"`,
  "device mount": ({ path, rootHash }) =>
    `mount a read-only device at "${path}" with root hash "${rootHash}"`,
  "device unmount": ({ path }) => `unmount the device at "${path}"`,
  "read-write device mount": ({ path }) => `mount a disk at "${path}"`,
  "read-write device unmount": ({ path }) => `unmount the disk at "${path}"`,
  "plan9 mount": ({ path }) => `mount a share at "${path}"`,
  "plan9 unmount": ({ path }) => `unmount the share at "${path}"`,
  "scratch mount": ({ path, encrypted }) =>
    `use ${encrypted ? "encrypted" : "unencrypted"} scratch "${path}"`,
  "overlay mount": ({ path }) => `combine layers at "${path}"`,
  "overlay unmount": ({ path }) => `remove layers at "${path}"`,
  "default mounts": ({ id }) => `add mounts to container "${id}"`,
  "user information": ({ id }) => `look up users of container "${id}"`,
  "container creation": ({ id }) => `create container "${id}"`,
  "host network": ({ id }) => `give container "${id}" the VM's network`,
  "exec in container": ({ id, argv: [name = ""] }) =>
    `run "${name}" in container "${id}"`,
  "exec in VM": ({ argv: [name = ""] }) => `run "${name}" in the VM`,
  "container shutdown": ({ id }) => `stop container "${id}"`,
  "signal": ({ id, signal }) => `send signal ${signal} to a process of "${id}"`,
  "properties": ({ id }) => `tell properties of container "${id}"`,
  "stack dump": () => "tell what is under way",
  "runtime logging": () => "log",
};

/** All questions. */
export const questionNames = Object.keys(requests) as QuestionName[];

/**
 * The refusal of an enforcer.
 *
 * @param cause Why, if the enforcer says so.
 */
export function denial(question: Question, cause?: unknown): ShimError {
  const request = requests[question.name] as (facts: Question) => string;
  const reason = cause === undefined ? "" : `: ${messageOf(cause)}`;
  return new ShimError(
    "PermissionDenied",
    `Cannot ${request(question)}: ${question.name} denied due to ` +
      `policy${reason}`,
    { cause },
  );
}
