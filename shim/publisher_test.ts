import { assertEquals } from "@std/assert";
import { FakeClock, runReady } from "../base/clock.ts";
import { type Duplex, memoryPair } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { silentLogger } from "../base/log.ts";
import { defaultTimeouts } from "../base/timeouts.ts";
import { Events, TaskStart } from "../ttrpc/api/events.gen.ts";
import { TtrpcServer } from "../ttrpc/server.ts";
import { newShimMetrics, type ShimMetrics } from "./metrics.ts";
import { EventPublisher } from "./publisher.ts";
import { noGauges } from "./testing.ts";

/** A containerd that takes events, or does not. */
class FakeContainerd {
  readonly clock = new FakeClock();
  /** `<topic> <pid>` of every event that was taken. */
  readonly taken: string[] = [];
  /** Namespaces of the metadata. */
  readonly namespaces = new Set<string | undefined>();
  /** What a forward does before it is taken. */
  onForward: () => Promise<void> = () => Promise.resolve();
  /** Whether it can be reached. */
  isUp = true;
  connections = 0;
  /** How many events were brought, taken or not. */
  forwards = 0;
  #server: TtrpcServer | undefined;
  readonly #servers: TtrpcServer[] = [];

  readonly connect = (): Promise<Duplex> => {
    if (!this.isUp) {
      return Promise.reject(new ShimError("Unavailable", "nobody is there"));
    }
    this.connections++;
    const [client, server] = memoryPair();
    this.#server = new TtrpcServer({ log: silentLogger, clock: this.clock });
    this.#servers.push(this.#server);
    this.#server.register(Events, {
      Forward: async ({ envelope }, { metadata }) => {
        this.forwards++;
        await this.onForward();
        const { pid } = TaskStart.decode(
          envelope?.event?.value ?? new Uint8Array(),
        );
        this.taken.push(`${envelope?.topic} ${pid}`);
        this.namespaces.add(metadata.get("containerd-namespace-ttrpc")?.[0]);
        return {};
      },
    });
    this.#server.handle(server);
    return Promise.resolve(client);
  };

  readonly metrics = newShimMetrics();

  publisher(capacity?: number): EventPublisher {
    return new EventPublisher({
      namespace: "n",
      connect: this.connect,
      log: silentLogger,
      metrics: this.metrics,
      clock: this.clock,
      timeouts: defaultTimeouts,
      ...(capacity === undefined ? {} : { capacity }),
    });
  }

  /** How many connections are open once what is under way is done. */
  async open(): Promise<number> {
    await runReady();
    return this.#servers.reduce((sum, server) => sum + server.connections, 0);
  }

  /** Closes the connection, as a containerd that restarts does. */
  async restart(): Promise<void> {
    await this.#server?.close();
  }

  async close(): Promise<void> {
    for (const server of this.#servers) await server.close();
  }
}

/** What was counted of events, sorted. */
function counted(metrics: ShimMetrics): string[] {
  return metrics.text(noGauges).split("\n").filter((line) =>
    line.startsWith("lcow_event") && !line.endsWith("} 0")
  ).sort();
}

function publish(publisher: EventPublisher, pid: number): void {
  publisher.publish("/tasks/start", TaskStart, { containerId: "c", pid });
}

Deno.test("EventPublisher forwards in order with namespace, over one connection", async () => {
  const containerd = new FakeContainerd();
  const publisher = containerd.publisher();
  for (const pid of [1, 2, 3]) publish(publisher, pid);
  await publisher.close();
  assertEquals(containerd.taken, [1, 2, 3].map((pid) => `/tasks/start ${pid}`));
  assertEquals([...containerd.namespaces], ["n"]);
  assertEquals([containerd.connections, await containerd.open()], [1, 0]);
  await containerd.close();
});

Deno.test("EventPublisher reconnects at once when containerd was restarted", async () => {
  const containerd = new FakeContainerd();
  const publisher = containerd.publisher();
  publish(publisher, 1);
  await containerd.clock.advance(0);
  await containerd.restart();
  publish(publisher, 2);
  await publisher.close();
  assertEquals(containerd.taken.length, 2);
  assertEquals(containerd.connections, 2);
  await containerd.close();
});

Deno.test("EventPublisher makes the connection anew when containerd says that it is unavailable, and keeps only the new one", async () => {
  const containerd = new FakeContainerd();
  const publisher = containerd.publisher();
  publish(publisher, 1);
  await containerd.clock.advance(0);
  containerd.onForward = () => {
    containerd.onForward = () => Promise.resolve();
    return Promise.reject(new ShimError("Unavailable", "it is starting"));
  };
  publish(publisher, 2);
  await containerd.clock.advance(0);
  assertEquals(containerd.taken.length, 2);
  assertEquals([containerd.connections, await containerd.open()], [2, 1]);
  await publisher.close();
  assertEquals(await containerd.open(), 0);
  await containerd.close();
});

Deno.test("EventPublisher repeats an event that containerd refused after a pause, over the same connection", async () => {
  const containerd = new FakeContainerd();
  const publisher = containerd.publisher();
  publish(publisher, 1);
  await containerd.clock.advance(0);
  containerd.onForward = () =>
    Promise.reject(new ShimError("InvalidArgument", "no such topic"));
  publish(publisher, 2);
  await containerd.clock.advance(999);
  assertEquals([containerd.forwards, containerd.connections], [2, 1]);
  containerd.onForward = () => Promise.resolve();
  await containerd.clock.advance(1);
  assertEquals([containerd.taken.length, containerd.connections], [2, 1]);
  await publisher.close();
  await containerd.close();
});

Deno.test("EventPublisher keeps order and retries while containerd is away", async () => {
  const containerd = new FakeContainerd();
  containerd.isUp = false;
  const publisher = containerd.publisher();
  for (const pid of [1, 2]) publish(publisher, pid);
  await containerd.clock.advance(1000);
  assertEquals(containerd.taken, []);
  containerd.isUp = true;
  await containerd.clock.advance(2000);
  assertEquals(containerd.taken, ["/tasks/start 1", "/tasks/start 2"]);
  await publisher.close();
  await containerd.close();
});

Deno.test("EventPublisher gives one event up after five retries and goes on", async () => {
  const containerd = new FakeContainerd();
  containerd.isUp = false;
  const publisher = containerd.publisher();
  publish(publisher, 1);
  publish(publisher, 2);
  await containerd.clock.advance((1 + 2 + 3 + 4 + 5) * 1000);
  containerd.isUp = true;
  await containerd.clock.advance(1000);
  assertEquals(containerd.taken, ["/tasks/start 2"]);
  assertEquals(counted(containerd.metrics), [
    "lcow_event_retries_total 6",
    'lcow_events_forwarded_total{topic="/tasks/start"} 1',
    'lcow_events_lost_total{topic="/tasks/start"} 1',
  ]);
  await publisher.close();
  await containerd.close();
});

Deno.test("EventPublisher repeats an event that containerd did not answer within 5 s", async () => {
  const containerd = new FakeContainerd();
  const slow = Promise.withResolvers<void>();
  containerd.onForward = () => slow.promise;
  const publisher = containerd.publisher();
  publish(publisher, 1);
  await containerd.clock.advance(defaultTimeouts.eventForward);
  containerd.onForward = () => Promise.resolve();
  await containerd.clock.advance(1000);
  assertEquals(containerd.taken, ["/tasks/start 1"]);
  slow.resolve();
  await publisher.close();
  await containerd.close();
});

Deno.test("EventPublisher never holds more events than its capacity", async () => {
  const containerd = new FakeContainerd();
  containerd.isUp = false;
  const publisher = containerd.publisher(2);
  for (const pid of [1, 2, 3, 4, 5]) publish(publisher, pid);
  containerd.isUp = true;
  await containerd.clock.advance(1000);
  assertEquals(containerd.taken.at(-1), "/tasks/start 5");
  assertEquals(containerd.taken.length <= 3, true);
  await publisher.close();
  await containerd.close();
});

Deno.test("EventPublisher reports the event that was dropped for a newer one, not that one", async () => {
  const containerd = new FakeContainerd();
  const publisher = containerd.publisher(2);
  for (const topic of ["/tasks/create", "/tasks/start", "/tasks/exit"]) {
    publisher.publish(topic, TaskStart, { containerId: "c", pid: 1 });
  }
  await publisher.close();
  assertEquals(containerd.taken, ["/tasks/start 1", "/tasks/exit 1"]);
  assertEquals(counted(containerd.metrics), [
    "lcow_event_retries_total 0",
    'lcow_events_forwarded_total{topic="/tasks/exit"} 1',
    'lcow_events_forwarded_total{topic="/tasks/start"} 1',
    'lcow_events_lost_total{topic="/tasks/create"} 1',
  ]);
  await containerd.close();
});

Deno.test("EventPublisher.close() does not wait for a containerd that is away", async () => {
  const containerd = new FakeContainerd();
  containerd.isUp = false;
  const publisher = containerd.publisher();
  for (const pid of [1, 2, 3]) publish(publisher, pid);
  await publisher.close();
  assertEquals(containerd.taken, []);
  publish(publisher, 4);
});

Deno.test("EventPublisher.close() is bounded when containerd does not answer", async () => {
  const containerd = new FakeContainerd();
  const stuck = Promise.withResolvers<void>();
  containerd.onForward = () => stuck.promise;
  const publisher = containerd.publisher();
  for (const pid of [1, 2, 3]) publish(publisher, pid);
  const closed = publisher.close();
  await containerd.clock.advance(defaultTimeouts.eventForward);
  await closed;
  assertEquals(containerd.taken, []);
  stuck.resolve();
  await containerd.close();
});

Deno.test("EventPublisher without an address drops events", async () => {
  const metrics = newShimMetrics();
  const publisher = new EventPublisher({
    namespace: "n",
    connect: undefined,
    log: silentLogger,
    metrics,
    clock: new FakeClock(),
    timeouts: defaultTimeouts,
  });
  publish(publisher, 1);
  await publisher.close();
  assertEquals(counted(metrics), [
    "lcow_event_retries_total 0",
    'lcow_events_lost_total{topic="/tasks/start"} 1',
  ]);
});
