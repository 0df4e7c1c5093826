import { assertEquals } from "@std/assert";
import { deadline, systemClock } from "../base/clock.ts";
import { HResult } from "../base/hresult.ts";
import type { ExitInfo } from "../hcs/ports.ts";
import { Presence, RemotePresence } from "./presence.ts";

const unexpected: ExitInfo = {
  status: HResult.UnexpectedExit,
  exitType: "UnexpectedExit",
};

interface Scene {
  readonly folder: string;
  readonly owner: Presence;
  /** Resolves when another process asks for the end. */
  readonly asked: Promise<void>;
  /** What the owner could not do. */
  readonly failures: unknown[];
}

/** A machine that is alive at the beginning. */
async function withOwner(task: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "lcow-p-" });
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const failures: unknown[] = [];
  const owner = new Presence(
    folder,
    resolve,
    (error) => void failures.push(error),
  );
  try {
    await task({ folder, owner, asked, failures });
    assertEquals(failures, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function connect(folder: string): Promise<RemotePresence> {
  const remote = await RemotePresence.connect(folder);
  if (remote === undefined) throw new Error("The machine is not there");
  return remote;
}

/** Ends the wait for something that does not come. */
function soon<T>(what: string, promise: Promise<T>): Promise<T> {
  return deadline(systemClock, 10_000, what, () => promise);
}

/**
 * Connects and is gone at once.
 *
 * @returns What the owner answers: null when it lets the connection go, too.
 */
async function hangUp(folder: string): Promise<number | null> {
  using connection = await Deno.connect({
    transport: "unix",
    path: `${folder}/alive.sock`,
  });
  await connection.closeWrite();
  return await soon("The answer", connection.read(new Uint8Array(1)));
}

Deno.test("everybody is told when a machine ends", () =>
  withOwner(async ({ folder, owner }) => {
    const remotes = [await connect(folder), await connect(folder)];
    // Connections are taken in order: afterwards both are known to the owner.
    await hangUp(folder);
    owner.close();
    for (const { ended } of remotes) {
      assertEquals(await soon("The end", ended), unexpected);
    }
    assertEquals(await RemotePresence.connect(folder), undefined);
  }));

Deno.test("a machine that is asked to end is a forced exit for who asked", () =>
  withOwner(async ({ folder, owner, asked }) => {
    const [asking, watching] = [await connect(folder), await connect(folder)];
    await asking.terminate();
    await soon("The request", asked);
    owner.close();
    assertEquals(await soon("The end", asking.ended), {
      status: 0,
      exitType: "ForcedExit",
    });
    assertEquals(await soon("The end", watching.ended), unexpected);
    await asking.terminate(); // nobody is left
  }));

Deno.test("a view that is closed ends, and the machine goes on", () =>
  withOwner(async ({ folder, owner }) => {
    const closed = await connect(folder);
    closed.close();
    closed.close();
    assertEquals(await soon("The end", closed.ended), unexpected);
    const next = await connect(folder);
    owner.close();
    await soon("The end", next.ended);
  }));

Deno.test("the owner lets the connection of a process that is gone go", () =>
  withOwner(async ({ folder, owner }) => {
    assertEquals(await hangUp(folder), null);
    owner.close();
  }));

Deno.test("connect() knows a machine that has ended, by whatever its owner left", async () => {
  const folder = await Deno.makeTempDir({ prefix: "lcow-p-" });
  const path = `${folder}/alive.sock`;
  try {
    assertEquals(await RemotePresence.connect(folder), undefined);
    const owner = Deno.listen({ transport: "unix", path });
    await Deno.link(path, `${path}.left`);
    // It ends before it takes the connection.
    const connecting = RemotePresence.connect(folder);
    owner.close();
    assertEquals(await connecting, undefined);
    // A killed one leaves its socket behind.
    await Deno.rename(`${path}.left`, path);
    assertEquals(await RemotePresence.connect(folder), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
