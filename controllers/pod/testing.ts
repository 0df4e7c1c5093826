/**
 * Fakes of a pod's collaborators.
 *
 * @module
 */

import { CallScript } from "../testing/call_script.ts";
import type { PodNetwork } from "./dependencies.ts";

/**
 * A network that does what the test says. The script has the calls `setup` and
 * `teardown`.
 */
export class FakePodNetwork implements PodNetwork {
  /** What was called, and what fails. */
  readonly script = new CallScript();

  /** Records the call. */
  setup(signal?: AbortSignal): Promise<void> {
    return this.script.play("setup", undefined, signal);
  }

  /** Records the call. */
  teardown(): Promise<void> {
    return this.script.play("teardown");
  }

  /** The calls since the last time. */
  said(): string[] {
    return this.script.calls.splice(0).map(({ call }) => call);
  }
}
