/**
 * What nobody caught: it is written to standard error, which is the file
 * `panic.log` in the bundle, and ends the shim.
 *
 * @module
 */

/** Where uncaught errors appear; the global scope. */
export type PanicSource = Pick<EventTarget, "addEventListener">;

function text(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

/**
 * Watches for errors that nobody caught. The state of the shim is not certain any
 * more then, but who waits for it shall still hear of its end: that is `end`'s work.
 *
 * @param source Where they appear.
 * @param write Writes to standard error.
 * @param end Ends the shim.
 */
export function watchPanics(
  source: PanicSource,
  write: (text: string) => void,
  end: () => void,
): void {
  const panic = (event: Event, error: unknown): void => {
    event.preventDefault();
    write(`panic: ${text(error)}\n`);
    end();
  };
  source.addEventListener("unhandledrejection", (event) => {
    panic(event, "reason" in event ? event.reason : undefined);
  });
  source.addEventListener("error", (event) => {
    panic(event, "error" in event ? event.error : undefined);
  });
}
