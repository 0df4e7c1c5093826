/**
 * The mapped devices that mounts stand on.
 *
 * @module
 */

/**
 * Devices that were made for a mount, by its target. They go when the mount
 * goes, without asking the disk again, which may be gone.
 */
export class DevicesBelow {
  readonly #held = new Map<string, (() => Promise<void>)[]>();

  /** Notes devices of a mount, the lowest first, by how they are removed. */
  add(target: string, releases: readonly (() => Promise<void>)[]): void {
    if (releases.length === 0) return;
    this.#held.set(target, [...this.#held.get(target) ?? [], ...releases]);
  }

  /**
   * Removes the devices of a mount, the topmost first.
   *
   * @throws The first failure; what is left goes with the next call.
   */
  async release(target: string): Promise<void> {
    const held = this.#held.get(target) ?? [];
    for (let release; (release = held.at(-1)) !== undefined;) {
      await release();
      held.pop();
    }
    this.#held.delete(target);
  }
}
