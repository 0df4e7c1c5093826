/**
 * The account of calls into the pretended Windows, and how a test makes one of
 * them fail.
 *
 * @module
 */

/** What the body of a call throws to fail with a Win32 code. */
export class CallFailure extends Error {
  /** The code. */
  readonly code: number;

  /** @param code What `GetLastError` says at once. */
  constructor(code: number) {
    super(`Win32 code ${code}`);
    this.code = code;
  }
}

/**
 * What `GetLastError` says to those who do not ask in the very next statement:
 * no code of Windows.
 */
export const staleError = 0xdead;

/** How the completion of one overlapped call is set. */
export interface LaterCompletion {
  /** `NTSTATUS`, unsigned. */
  readonly status: number;
  /** Bytes that it reports. */
  readonly count: number;
  /** It completes when this resolves; it can be cancelled before. */
  readonly when: Promise<void>;
}

/**
 * Symbols that never fail with valid arguments: they take things back, or wait
 * without an end.
 */
const certain: ReadonlySet<string> = new Set([
  "CloseHandle",
  "closesocket",
  "LocalFree",
  "VirtualFree",
  "DeleteProcThreadAttributeList",
  "CancelIoEx",
  "WaitForCompletions",
]);

/** Records calls, keeps the last error, and lets tests fail calls. */
export class FakeCalls {
  /** Names of all symbols called, in order, without the two that ask for the last error. */
  readonly made: string[] = [];
  readonly #failures = new Map<string, number[]>();
  readonly #later = new Map<string, LaterCompletion[]>();
  #failing: { at: number; readonly code: number } | undefined;
  #lastError = staleError;
  #errors = 0;

  /** Fails the next call of a symbol that is not to fail yet. */
  fail(symbol: string, code: number): void {
    this.#failures.set(symbol, [...this.#failures.get(symbol) ?? [], code]);
  }

  /**
   * Fails one call by its number.
   *
   * @param skip Calls that are let through first. Calls that cannot fail do not count.
   */
  failAfter(skip: number, code: number): void {
    this.#failing = { at: skip, code };
  }

  /** True once the call that {@linkcode FakeCalls.failAfter} meant was made. */
  get hasFailed(): boolean {
    return this.#failing !== undefined && this.#failing.at < 0;
  }

  /** Lets the next overlapped call of a symbol go on, and complete like this. */
  completeLater(symbol: string, completion: LaterCompletion): void {
    this.#later.set(symbol, [...this.#later.get(symbol) ?? [], completion]);
  }

  /** Takes what {@linkcode FakeCalls.completeLater} set for the next call. */
  takeLater(symbol: string): LaterCompletion | undefined {
    return this.#later.get(symbol)?.shift();
  }

  /** `GetLastError` and `WSAGetLastError`: on Windows they are one. */
  get lastError(): number {
    return this.#lastError;
  }

  /** Makes one call. @returns What its body returns, or `failed`. */
  run<T>(symbol: string, failed: T, body: () => T): T {
    this.made.push(symbol);
    this.#lastError = staleError;
    try {
      const code = this.#failures.get(symbol)?.shift() ?? this.#due(symbol);
      if (code !== undefined) throw new CallFailure(code);
      return body();
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      this.#remember(error.code);
      return failed;
    }
  }

  #due(symbol: string): number | undefined {
    if (this.#failing === undefined || certain.has(symbol)) return undefined;
    return this.#failing.at-- === 0 ? this.#failing.code : undefined;
  }

  /** Until the next call, or until this turn of the program is over. */
  #remember(code: number): void {
    const mine = ++this.#errors;
    this.#lastError = code;
    queueMicrotask(() => {
      if (this.#errors === mine) this.#lastError = staleError;
    });
  }
}
