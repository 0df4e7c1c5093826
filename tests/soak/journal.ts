/**
 * What was done, and what it came to.
 *
 * @module
 */

/** Entries that a failure prints. */
const kept = 120;

/** Counts everything, and remembers the last of it. */
export class Journal {
  readonly #lines: string[] = [];
  readonly #operations = new Map<string, number>();
  readonly #faults = new Map<string, number>();
  readonly #started = performance.now();

  /** Notes one operation with its outcome. */
  operation(name: string, on: string, outcome: string): void {
    this.#count(this.#operations, name);
    this.note(`${on}: ${name} → ${outcome}`);
  }

  /** Notes one fault. */
  fault(name: string, on: string): void {
    this.#count(this.#faults, name);
    this.note(`${on}: FAULT ${name}`);
  }

  /** Notes something else. */
  note(line: string): void {
    const at = ((performance.now() - this.#started) / 1000).toFixed(3);
    this.#lines.push(`${at.padStart(8)} ${line}`);
    if (this.#lines.length > kept) this.#lines.shift();
  }

  #count(counts: Map<string, number>, name: string): void {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }

  /** The last entries, oldest first. */
  get last(): readonly string[] {
    return this.#lines;
  }

  /** How often each operation was done. */
  get operations(): ReadonlyMap<string, number> {
    return this.#operations;
  }

  /** How often each fault was made. */
  get faults(): ReadonlyMap<string, number> {
    return this.#faults;
  }
}
