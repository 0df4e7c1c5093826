/**
 * Handlers of a guest agent for tests of the bridge itself.
 *
 * @module
 */

import { HResult, HResultError } from "../base/hresult.ts";
import type { GuestHandlers } from "./handlers.ts";

/** Handlers that know no container, except for those that the test gives. */
export function fakeHandlers(
  given: Partial<GuestHandlers> = {},
): GuestHandlers {
  const refuse = (
    _request: unknown,
    { containerId }: { readonly containerId: string },
  ): Promise<never> =>
    Promise.reject(
      new HResultError(
        HResult.SystemNotFound,
        `Container "${containerId}" not found`,
      ),
    );
  return {
    Create: refuse,
    Start: refuse,
    ShutdownGraceful: refuse,
    ShutdownForced: refuse,
    ExecuteProcess: refuse,
    WaitForProcess: refuse,
    SignalProcess: refuse,
    ResizeConsole: refuse,
    GetProperties: refuse,
    ModifySettings: refuse,
    DumpStacks: refuse,
    DeleteContainerState: refuse,
    ...given,
  };
}
