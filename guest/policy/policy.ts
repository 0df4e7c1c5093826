/**
 * The security policy of a VM: who enforces it, and that it is set once
 * (`spec/guest-runtime.md` 11.2).
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
import { SerialQueue } from "../../base/queue.ts";
import type {
  SecurityPolicy,
  SecurityPolicyFragment,
} from "../../bridge/messages.gen.ts";
import type { User } from "../../oci/spec.gen.ts";
import type { Confidential } from "../storage/confidential.ts";
import { chooseEnforcer, type EnforcerFactory } from "./enforcers.ts";
import { type IdKind, requireConfidentialId } from "./ids.ts";
import {
  type Answer,
  denial,
  type PolicyEnforcer,
  type Question,
  type UserInformation,
} from "./questions.ts";
import { unknownUser, userInformation } from "./user_information.ts";

/** Base64 texts that containers can read, by the names of their files. */
export type ContextFiles = Readonly<Record<string, string>>;

/** Types of fragments; those with a file are shown to containers. */
const mediaTypes: ReadonlyMap<string, string | undefined> = new Map([
  ["application/cose-x509+rego", undefined],
  ["application/vnd.transparency-trust-list.v1+cose", undefined],
  [
    "application/vnd.tcb-reference-info.v1+cose",
    "tcb-reference-info-base64",
  ],
  [
    "application/vnd.platform-reference-info.v1+cose",
    "platform-reference-info-base64",
  ],
]);

const defaultMediaType = "application/cose-x509+rego";

/** What a policy works with. */
export interface PolicyOptions {
  /** Decides until a policy is set. */
  readonly initial: PolicyEnforcer;
  /** Guards the mounts once a policy is set. */
  readonly confidential: Confidential;
  /** Lets log lines out, or drops them. */
  readonly setLogging: (isAllowed: boolean) => void;
  /**
   * HOST_DATA of the VM's SEV-SNP report, 32 bytes: the digest of the policy
   * with which it was started. Absent where there is no such hardware.
   */
  readonly hostData?: () => Promise<Uint8Array>;
  /** Makes enforcers of policies in Rego; absent where nothing can. */
  readonly rego?: EnforcerFactory;
}

/** The policy of a VM. */
export class VmPolicy {
  readonly #options: PolicyOptions;
  readonly #queue = new SerialQueue();
  #enforcer: PolicyEnforcer;
  #isSet = false;
  #files: ContextFiles = {};

  /** @param options What it works with. */
  constructor(options: PolicyOptions) {
    this.#options = options;
    this.#enforcer = options.initial;
  }

  /** True once a policy that says something is set. */
  get isConfidential(): boolean {
    return this.#options.confidential.isActive;
  }

  /** What containers are shown of the policy. */
  get contextFiles(): ContextFiles {
    return this.#files;
  }

  /**
   * Asks the enforcer. Ask before anything is changed.
   *
   * @throws {ShimError} PermissionDenied, also when the enforcer fails.
   */
  async ask(question: Question): Promise<Answer> {
    return await answerOf(this.#enforcer, question);
  }

  /**
   * Asks whether the users of an image may be looked up, and does so in a
   * confidential VM. Elsewhere nothing is known of users: nobody would judge
   * them.
   *
   * @throws {ShimError} PermissionDenied.
   */
  async userOf(
    id: string,
    user: User,
    rootfs: string,
  ): Promise<UserInformation> {
    await this.ask({ name: "user information", id });
    if (!this.isConfidential) return unknownUser;
    return await userInformation(user, rootfs);
  }

  /**
   * Checks an id of the host, in a confidential VM.
   *
   * @throws {ShimError} InvalidArgument.
   */
  requireId(kind: IdKind, id: string): void {
    if (this.isConfidential) requireConfidentialId(kind, id);
  }

  /**
   * Sets the policy, once. A call that fails changes nothing and can be repeated.
   *
   * @throws {ShimError} FailedPrecondition when one is set, InvalidArgument for
   * settings that are not right, PermissionDenied when the VM was started with
   * another policy, NotImplemented when nobody can enforce it.
   */
  async set(settings: SecurityPolicy): Promise<void> {
    await this.#queue.run(() => this.#set(settings));
  }

  async #set(settings: SecurityPolicy): Promise<void> {
    if (this.#isSet) {
      throw new ShimError(
        "FailedPrecondition",
        "Cannot set a policy: security policy has already been set",
      );
    }
    const { EnforcerType: type = "", EncodedSecurityPolicy: text = "" } =
      settings;
    const { rego, hostData, confidential, setLogging } = this.#options;
    const policy = decode(text, "EncodedSecurityPolicy");
    if (hostData !== undefined) await requireDigest(policy, await hostData());
    const enforcer = await chooseEnforcer(type, policy, rego);
    const question = { name: "runtime logging" } as const;
    const logs = await answerOf(enforcer, question)
      .then(() => true, () => false);
    // All of it in one turn.
    this.#enforcer = enforcer;
    this.#isSet = true;
    this.#show("security-policy-base64", text);
    this.#show("reference-info-base64", settings.EncodedUVMReference);
    this.#show(
      "transparent-reference-info-base64",
      settings.EncodedUVMHashEnvelopeReference,
    );
    if (policy.length > 0) confidential.start();
    setLogging(logs);
  }

  #show(file: string, text = ""): void {
    if (text !== "") this.#files = { ...this.#files, [file]: text };
  }

  /**
   * Loads a fragment into the policy. Its signature is for the enforcer to check:
   * without one that takes fragments, none is loaded. Nothing of it is written to
   * the VM's files. (REF keeps a copy of every one in the folder for temporary
   * files.)
   *
   * @throws {ShimError} InvalidArgument for what can be no fragment,
   * NotImplemented when the enforcer takes none.
   */
  async addFragment(settings: SecurityPolicyFragment): Promise<void> {
    const { Fragment: text = "", MediaType } = settings;
    const mediaType = MediaType || defaultMediaType;
    if (!mediaTypes.has(mediaType)) {
      throw new ShimError(
        "InvalidArgument",
        `Cannot add a policy fragment: unknown MediaType "${mediaType}"`,
      );
    }
    const document = decode(text, "Fragment");
    if (document.length === 0) {
      throw new ShimError(
        "InvalidArgument",
        "Cannot add a policy fragment: it is empty, no COSE_Sign1 document",
      );
    }
    await this.#queue.run(async () => {
      if (this.#enforcer.addFragment === undefined) {
        throw new ShimError(
          "NotImplemented",
          "Cannot add a policy fragment: the policy of this VM takes none",
        );
      }
      await this.#enforcer.addFragment({ document, mediaType });
      const file = mediaTypes.get(mediaType);
      if (file !== undefined) this.#show(file, text);
    });
  }
}

/** Whatever an enforcer throws is a refusal. */
async function answerOf(
  enforcer: PolicyEnforcer,
  question: Question,
): Promise<Answer> {
  try {
    return await enforcer.ask(question);
  } catch (error) {
    const isDenial = error instanceof ShimError &&
      error.code === "PermissionDenied";
    throw isDenial ? error : denial(question, error);
  }
}

/** @throws {ShimError} InvalidArgument. */
function decode(text: string, member: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch (cause) {
    throw new ShimError(
      "InvalidArgument",
      `Invalid ${member}: it is no base64: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** @throws {ShimError} PermissionDenied when the VM was started with another. */
async function requireDigest(
  policy: Uint8Array<ArrayBuffer>,
  hostData: Uint8Array,
): Promise<void> {
  const digest = await crypto.subtle.digest("SHA-256", policy);
  const own = new Uint8Array(digest).toHex();
  const expected = hostData.toHex();
  if (own === expected) return;
  throw new ShimError(
    "PermissionDenied",
    `Cannot set a policy with digest ${own}: the VM was started with one ` +
      `with digest ${expected}`,
  );
}
