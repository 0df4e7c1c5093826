/**
 * The socket by which other processes see that a machine is alive, and ask for
 * its end: a connection lasts as long as the machine and its owner, and any byte
 * on it terminates the machine.
 *
 * @module
 */

import type { ExitInfo } from "../hcs/ports.ts";
import { HResult } from "../base/hresult.ts";

function socketOf(folder: string): string {
  return `${folder}/alive.sock`;
}

/** The owner's end. */
export class Presence {
  readonly #listener: Deno.UnixListener;
  readonly #connections = new Set<Deno.UnixConn>();

  /**
   * @param folder The machine's folder.
   * @param onTerminate Called when another process asks for the end.
   * @param onFailure Called when no further process can be served.
   */
  constructor(
    folder: string,
    onTerminate: () => void,
    onFailure: (error: unknown) => void,
  ) {
    this.#listener = Deno.listen({
      transport: "unix",
      path: socketOf(folder),
    });
    // A machine alone does not keep its owner running.
    this.#listener.unref();
    this.#serve(onTerminate).catch(onFailure);
  }

  async #serve(onTerminate: () => void): Promise<void> {
    try {
      for await (const connection of this.#listener) {
        connection.unref();
        this.#connections.add(connection);
        this.#watch(connection, onTerminate);
      }
    } catch (error) {
      // Closed while accepting.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #watch(
    connection: Deno.UnixConn,
    onTerminate: () => void,
  ): Promise<void> {
    let asked: number | null = null;
    try {
      asked = await connection.read(new Uint8Array(1));
    } catch {
      // The other process died, or this machine ended meanwhile.
    }
    if (asked !== null) onTerminate();
    else if (this.#connections.delete(connection)) connection.close();
  }

  /** Tells everybody that the machine has ended. */
  close(): void {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
  }
}

/** Another process' view of a machine. */
export class RemotePresence {
  readonly #connection: Deno.UnixConn;
  /** Settles when the machine, or its owner, has ended, or after a close. */
  readonly ended: Promise<ExitInfo>;
  #terminated = false;
  #closed = false;

  private constructor(connection: Deno.UnixConn) {
    this.#connection = connection;
    this.ended = this.#end();
  }

  /** Connects. @returns Undefined when the machine has ended. */
  static async connect(folder: string): Promise<RemotePresence | undefined> {
    try {
      const path = socketOf(folder);
      return new RemotePresence(
        await Deno.connect({ transport: "unix", path }),
      );
    } catch (error) {
      const gone = error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.ConnectionRefused ||
        // It ended before it took the connection.
        error instanceof Deno.errors.ConnectionReset;
      if (gone) return undefined;
      throw error;
    }
  }

  async #end(): Promise<ExitInfo> {
    try {
      await this.#connection.read(new Uint8Array(1));
    } catch {
      // Reset by the owner's death, or closed here.
    }
    this.close();
    return this.#terminated
      ? { status: 0, exitType: "ForcedExit" }
      : { status: HResult.UnexpectedExit, exitType: "UnexpectedExit" };
  }

  /** Asks the owner to end the machine. */
  async terminate(): Promise<void> {
    this.#terminated = true;
    try {
      await this.#connection.write(new Uint8Array([1]));
    } catch {
      // Nobody is left to ask: it has ended.
    }
  }

  /** Lets the connection go. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
  }
}
