/**
 * The containers of this VM.
 *
 * @module
 */

import { HResult, HResultError } from "../base/hresult.ts";
import { limits } from "../base/timeouts.ts";
import { ShimError } from "../base/errors.ts";
import type { Container } from "./container.ts";
import { joinPath } from "./storage/paths.ts";

/** Containers by id. */
export class Containers {
  readonly #containers = new Map<string, Container>();

  /** All of them, for a dump. */
  get all(): readonly Container[] {
    return [...this.#containers.values()];
  }

  /**
   * Registers a container.
   *
   * @throws {HResultError} SystemAlreadyExists; the other one is untouched.
   * @throws {ShimError} InvalidArgument for a bundle that another container
   * uses, ResourceExhausted when there are too many.
   */
  add(container: Container): void {
    const { id } = container;
    if (this.#containers.has(id)) {
      throw new HResultError(
        HResult.SystemAlreadyExists,
        `Cannot create container "${id}"`,
      );
    }
    // The end of a container removes its bundle.
    const { bundle } = container.options;
    const other = this.all.find(({ options }) => options.bundle === bundle);
    if (other !== undefined) {
      throw new ShimError(
        "InvalidArgument",
        `Cannot create container "${id}": container "${other.id}" uses its ` +
          `bundle "${bundle}"`,
      );
    }
    if (this.#containers.size >= limits.containers) {
      throw new ShimError(
        "ResourceExhausted",
        `Cannot create container "${id}": the VM has ${limits.containers} ` +
          "containers already",
      );
    }
    this.#containers.set(id, container);
  }

  /**
   * A container that has been created.
   *
   * @throws {HResultError} SystemNotFound, GuestInvalidState while its create
   * is under way.
   */
  get(id: string): Container {
    const container = this.#containers.get(id);
    if (container === undefined) {
      throw new HResultError(
        HResult.SystemNotFound,
        `Container "${id}" not found`,
      );
    }
    if (container.state.is("Creating")) {
      throw new HResultError(
        HResult.GuestInvalidState,
        `Container "${id}" is still being created`,
      );
    }
    return container;
  }

  /** True while this very container is registered. */
  has(container: Container): boolean {
    return this.#containers.get(container.id) === container;
  }

  /** True when a container that runs has its root at this path. */
  readonly runsOn = (root: string): boolean => {
    const path = joinPath(root);
    return this.all.some(({ state, options: { spec } }) =>
      state.is("Running") && joinPath(spec.root?.path ?? "") === path
    );
  };

  /** True for the bundle of a container, also while that is being created. */
  readonly ownsBundle = (bundle: string): boolean =>
    this.all.some(({ options }) => options.bundle === bundle);

  /** The annotations of a container, if it is known. */
  annotationsOf(id: string): Record<string, string> | undefined {
    return this.#containers.get(id)?.options.spec.annotations;
  }

  /** Forgets a container; another one with its id is untouched. */
  remove(container: Container): void {
    if (this.has(container)) this.#containers.delete(container.id);
  }
}
