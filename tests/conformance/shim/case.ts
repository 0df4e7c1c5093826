/**
 * What a case is, and what it is given.
 *
 * @module
 */

import { classify, type ErrorCode, messageOf } from "../../../base/errors.ts";
import { Container, type ContainerOptions } from "./process.ts";
import { Shim, type ShimOptions } from "./shim.ts";
import type { Abilities } from "./target.ts";
import type { SharedPod, World } from "./world.ts";

/** One named behaviour. */
export interface Case {
  /** Stable: reports and descriptions of shims name it. */
  readonly name: string;
  /** Abilities that the shim must have with these values. */
  readonly needs?: Partial<Abilities>;
  /** Fails when the shim behaves otherwise. */
  readonly run: (scene: Scene) => Promise<void>;
}

/** A group of cases. */
export interface CaseGroup {
  /** What they are about. */
  readonly name: string;
  readonly cases: readonly Case[];
}

/** What a case plays in; what it makes goes with it. */
export class Scene {
  readonly world: World;
  /** Aborts when the case has taken too long. */
  readonly signal: AbortSignal;
  readonly #undo: (() => Promise<void>)[] = [];

  /** @param world Of the shim under test. */
  constructor(world: World, signal: AbortSignal) {
    this.world = world;
    this.signal = signal;
  }

  /** What the shim under test can. */
  get has(): Abilities {
    return this.world.target.has;
  }

  /** Does something at the end; last come, first served. */
  defer(action: () => Promise<void>): void {
    this.#undo.push(action);
  }

  /** A shim of the case's own. */
  async shim(options?: ShimOptions & { readonly id?: string }): Promise<Shim> {
    const id = options?.id ?? this.world.newId("s");
    const shim = await Shim.start(this.world, id, this.signal, options);
    this.defer(() => shim.close());
    return shim;
  }

  /** A shim of the case's own with a running container of the same id. */
  async alone(
    options?: ShimOptions & ContainerOptions & { readonly id?: string },
  ): Promise<{ shim: Shim; container: Container }> {
    const shim = await this.shim(options);
    const container = await shim.prepare(shim.id, options);
    await container.create();
    await container.start();
    return { shim, container };
  }

  /** The shim and the container that cases share; nobody ends them. */
  pod(): Promise<SharedPod> {
    return this.world.pod();
  }

  /** The bundle of a container in the shared pod, by default with a new id. */
  async prepared(
    options?: ContainerOptions & { readonly id?: string },
  ): Promise<Container> {
    const { shim } = await this.pod();
    const container = await Container.prepare(
      shim,
      options?.id ?? this.world.newId(),
      options,
    );
    this.defer(() => container.remove());
    return container;
  }

  /** A container in the shared pod that is created. */
  async created(options?: ContainerOptions): Promise<Container> {
    const container = await this.prepared(options);
    await container.create();
    return container;
  }

  /** A container in the shared pod that runs. */
  async running(options?: ContainerOptions): Promise<Container> {
    const container = await this.created(options);
    await container.start();
    return container;
  }

  /** Undoes everything. @throws The first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const action of this.#undo.toReversed()) {
      await action().catch((error) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}

/**
 * Expects a refusal.
 *
 * @param codes Classes of which one must come.
 * @returns The message.
 */
export async function refused(
  promise: Promise<unknown>,
  ...codes: readonly ErrorCode[]
): Promise<string> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    const code = classify(error);
    if (codes.length === 0 || codes.includes(code)) return messageOf(error);
    throw new Error(
      `expected ${codes.join(" or ")}, got ${code}: ${messageOf(error)}`,
    );
  }
  throw new Error(
    `expected ${codes.join(" or ") || "a refusal"}, got an answer: ${
      JSON.stringify(value, (_key, member) =>
        typeof member === "bigint" ? String(member) : member)
    }`,
  );
}
