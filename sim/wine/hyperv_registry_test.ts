import { assertEquals, assertRejects } from "@std/assert";
import {
  connDuplex,
  type Duplex,
  type DuplexListener,
  listenerDuplex,
  memoryPair,
} from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import { vsockServiceId } from "../../base/guid.ts";
import { AsyncQueue } from "../../base/queue.ts";
import type { GuestSockets } from "../../hcs/ports.ts";
import { HyperVRegistry } from "./hyperv_registry.ts";

const vm = "5c1e0d3a-7f0e-4c2b-9c57-0a6d1f3b8e21";
const service = vsockServiceId(109);

/** Speaks as the fake DLL does. */
class Dll implements AsyncDisposable {
  readonly #stream: Duplex;

  private constructor(stream: Duplex) {
    this.#stream = stream;
  }

  static async connect({ port }: HyperVRegistry): Promise<Dll> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    return new Dll(connDuplex(conn));
  }

  async ask(line: string): Promise<number> {
    await this.#stream.write(new TextEncoder().encode(`${line}\n`));
    const buffer = new Uint8Array(16);
    const n = await this.#stream.read(buffer);
    return Number(new TextDecoder().decode(buffer.subarray(0, n ?? 0)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream.close();
  }
}

/** Virtual machines in memory: one, whose ports are free until somebody listens. */
class MemorySockets implements GuestSockets {
  readonly #ports = new Map<number, (stream: Duplex) => void>();
  /** Settles when a port is free again. */
  closed = Promise.withResolvers<void>();

  listen(runtimeId: string, port: number): Promise<DuplexListener> {
    if (runtimeId !== vm) {
      return Promise.reject(new ShimError("NotFound", "No such machine"));
    }
    if (port === 0) {
      return Promise.reject(new ShimError("InvalidArgument", "No such port"));
    }
    const dials = new AsyncQueue<Duplex>({ capacity: 8 });
    const streams = dials[Symbol.asyncIterator]();
    this.#ports.set(port, (stream) => void dials.push(stream));
    let next: Promise<IteratorResult<Duplex>> | undefined;
    return Promise.resolve({
      accept: async (signal) => {
        next ??= streams.next();
        const aborted = Promise.withResolvers<never>();
        signal?.addEventListener("abort", () => aborted.reject(signal.reason));
        const { value } = await Promise.race([next, aborted.promise]);
        next = undefined;
        return value;
      },
      close: () => {
        dials.close();
        this.#ports.delete(port);
        this.closed.resolve();
        return Promise.resolve();
      },
    });
  }

  dial(port: number): Duplex {
    const [guest, host] = memoryPair();
    this.#ports.get(port)!(host);
    return guest;
  }
}

async function readAll(stream: Duplex): Promise<string> {
  const buffer = new Uint8Array(64);
  let text = "";
  for (let n; (n = await stream.read(buffer)) !== null;) {
    text += new TextDecoder().decode(buffer.subarray(0, n));
  }
  return text;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("a guest's dial reaches the registered port; each direction ends by itself", async () => {
  const sockets = new MemorySockets();
  await using registry = new HyperVRegistry({ sockets });
  await using dll = await Dll.connect(registry);
  const tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listener = listenerDuplex(tcp);
  const line = `listen ${vm} ${service} ${tcp.addr.port}`;
  assertEquals(await dll.ask(line), 0);
  assertEquals(registry.listening, [`${vm}/${service}`]);
  const guest = sockets.dial(109);
  const host = await listener.accept();
  await guest.write(bytes("question"));
  await guest.closeWrite();
  assertEquals(await readAll(host), "question");
  await host.write(bytes("answer"));
  await host.close();
  assertEquals(await readAll(guest), "answer");
  await listener.close();
});

Deno.test("a dial to a port that has just been closed ends at once", async () => {
  const sockets = new MemorySockets();
  await using registry = new HyperVRegistry({ sockets });
  await using dll = await Dll.connect(registry);
  const tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = tcp.addr;
  tcp.close();
  assertEquals(await dll.ask(`listen ${vm} ${service} ${port}`), 0);
  assertEquals(await readAll(sockets.dial(109)), "");
});

Deno.test("unlisten frees the port, and connections stay", async () => {
  const sockets = new MemorySockets();
  await using registry = new HyperVRegistry({ sockets });
  await using dll = await Dll.connect(registry);
  const tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listener = listenerDuplex(tcp);
  const address = `${vm} ${service} ${tcp.addr.port}`;
  assertEquals(await dll.ask(`listen ${address}`), 0);
  const guest = sockets.dial(109);
  const host = await listener.accept();
  assertEquals(await dll.ask(`unlisten ${address}`), 0);
  await sockets.closed.promise;
  assertEquals(registry.listening, []);
  await host.write(bytes("still here"));
  await host.close();
  assertEquals(await readAll(guest), "still here");
  assertEquals(await dll.ask(`listen ${address}`), 0);
  await listener.close();
});

Deno.test("what a process listened on is free when its connection is lost", async () => {
  const sockets = new MemorySockets();
  await using registry = new HyperVRegistry({ sockets });
  {
    await using dll = await Dll.connect(registry);
    assertEquals(await dll.ask(`listen ${vm} ${service} 1`), 0);
  }
  await sockets.closed.promise;
});

Deno.test("refusals are errors of Winsock", async () => {
  await using registry = new HyperVRegistry({ sockets: new MemorySockets() });
  await using dll = await Dll.connect(registry);
  await using other = await Dll.connect(registry);
  const unknown = "11111111-2222-3333-4444-555555555555";
  const all = "ffffffff-ffff-ffff-ffff-ffffffffffff";
  assertEquals(await dll.ask(`listen ${vm} ${service} 1`), 0);
  assertEquals(await other.ask(`listen ${vm} ${service} 2`), -10048);
  assertEquals(await other.ask(`unlisten ${vm} ${service} 1`), 0);
  assertEquals(registry.listening.length, 1, "only its own");
  assertEquals(await dll.ask(`listen ${unknown} ${service} 1`), -10049);
  assertEquals(await dll.ask(`listen ${all} ${service} 1`), -10013);
  assertEquals(await dll.ask(`listen ${vm} ${unknown} 1`), -10022);
  assertEquals(await dll.ask(`resolve ${vm} ${unknown}`), -10061);
  assertEquals(await dll.ask("resolve it"), -10022);
  assertEquals(await dll.ask(`listens ${vm} ${service} 1`), -10022);
});

Deno.test("without virtual machines, programs dial each other, and a test dials as a guest", async () => {
  await using registry = new HyperVRegistry();
  await using dll = await Dll.connect(registry);
  const tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listener = listenerDuplex(tcp);
  await assertRejects(
    () => registry.dial(vm, 109),
    Deno.errors.ConnectionRefused,
  );
  const { port } = tcp.addr;
  assertEquals(await dll.ask(`listen ${vm} ${service} ${port}`), 0);
  assertEquals(await dll.ask(`resolve ${vm} ${service}`), port);
  const guest = await registry.dial(vm.toUpperCase(), 109);
  const host = await listener.accept();
  await guest.write(bytes("hello"));
  await guest.close();
  assertEquals(await readAll(host), "hello");
  await host.close();
  await listener.close();
});
