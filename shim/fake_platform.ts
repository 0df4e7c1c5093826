/**
 * A platform in memory for tests: endpoints, scripted child processes, streams.
 *
 * @module
 */

import {
  type Duplex,
  type DuplexListener,
  memoryPair,
} from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { FakeLoggingProgram } from "../controllers/testing/fake_logging_program.ts";
import type {
  DetachedProcess,
  Finding,
  LayerSet,
  LayerSource,
  Leftover,
  Platform,
  SystemEvents,
  VmMemoryCounter,
} from "../hcs/ports.ts";
import { serveStdio } from "../hcs/served_stdio.ts";
import type {
  LoggedProcess,
  LoggingProgram,
  ServedStdio,
  StdioName,
  StdioOptions,
} from "../hcs/stdio.ts";

/** Hands out the other ends of connections. */
class MemoryListener implements DuplexListener {
  readonly #closed: () => void;
  readonly #waiting: Duplex[] = [];
  #taker: PromiseWithResolvers<Duplex> | undefined;
  #open = true;

  constructor(closed: () => void) {
    this.#closed = closed;
  }

  /** A new connection, from its client's side. */
  dial(): Duplex {
    const [client, server] = memoryPair();
    if (this.#taker === undefined) this.#waiting.push(server);
    else this.#taker.resolve(server);
    this.#taker = undefined;
    return client;
  }

  accept(signal?: AbortSignal): Promise<Duplex> {
    if (!this.#open) return Promise.reject(refused("the listener is closed"));
    const ready = this.#waiting.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    const taker = this.#taker = Promise.withResolvers<Duplex>();
    signal?.addEventListener("abort", () => taker.reject(signal.reason), {
      once: true,
    });
    return taker.promise;
  }

  close(): Promise<void> {
    if (this.#open) {
      this.#open = false;
      this.#taker?.reject(refused("the listener is closed"));
      this.#closed();
    }
    return Promise.resolve();
  }
}

function refused(why: string): ShimError {
  return new ShimError("Unavailable", `Cannot connect: ${why}`);
}

/** A child process that the test controls. */
export class FakeChild implements DetachedProcess {
  readonly pid = 4242;
  readonly ready: Promise<void>;
  /** What was done to it, in order. */
  readonly fate: ("killed" | "released")[] = [];
  /** What it was started with. */
  readonly started: Parameters<Platform["spawnDetached"]>;
  readonly #ready = Promise.withResolvers<void>();

  /** @param started What it was started with. */
  constructor(started: Parameters<Platform["spawnDetached"]>) {
    this.started = started;
    this.ready = this.#ready.promise;
  }

  /** It is ready. */
  becomeReady(): void {
    this.#ready.resolve();
  }

  /** It ends before it is ready. */
  die(said: string): void {
    this.#ready.reject(
      new ShimError("Unavailable", `The process ended: ${said}`),
    );
  }

  kill(): Promise<void> {
    this.fate.push("killed");
    this.die("SIGKILL");
    return Promise.resolve();
  }

  release(): void {
    this.fate.push("released");
  }
}

/** See the module. Members that a test does not script throw. */
export class FakePlatform implements Platform {
  os = "linux";
  readonly arch = "amd64";
  readonly build = 26100;
  readonly cpus = 2;
  /** Children in the order of their start. */
  readonly children: FakeChild[] = [];
  /** What was written to the event tracing of the system. */
  readonly systemEvent: unknown[] = [];
  /** Somebody asks for the state of everything. */
  captureState: () => void = () => {};
  /** Groups that were cleaned up. */
  readonly cleaned: string[] = [];
  /** Opened streams of tasks by url. */
  readonly streams: Map<string, Duplex> = new Map();
  /** How those streams were opened, by url. */
  readonly streamOptions: Map<string, StdioOptions> = new Map();
  /** Logging programs, and what they were started for. */
  readonly programs: {
    readonly url: string;
    readonly process: LoggedProcess;
    readonly program: FakeLoggingProgram;
  }[] = [];
  /** What `doctor` finds. */
  findings: readonly Finding[] = [];
  /** Folder of the log files; without one there can be none. */
  logs: string | undefined;
  /** What happens to a new child; it becomes ready by default. */
  onSpawn: (child: FakeChild) => void = (child) => child.becomeReady();
  /** The layers of every container. */
  layerSet: LayerSet = {
    readOnly: [{ path: "/layers/base", type: "VirtualDisk", partition: 0 }],
    scratch: { path: "/layers/scratch", type: "VirtualDisk", partition: 0 },
  };
  /** Endpoints of shims that crashed. */
  readonly deadEndpoints: string[] = [];
  /** What crashed shims left. */
  left: readonly Leftover[] = [];
  /** Processes whose streams are served for shims, and not let go yet. */
  servedStdio = 0;
  #servedCount = 0;
  readonly #listeners = new Map<string, MemoryListener>();

  endpoint(namespace: string, key: string): Promise<string> {
    return Promise.resolve(`memory://${namespace}/${key}`);
  }

  endpoints(): Promise<readonly string[]> {
    const all = [...this.#listeners.keys(), ...this.deadEndpoints];
    return Promise.resolve(
      all.filter((address) => !address.startsWith("served:")).sort(),
    );
  }

  listen(address: string): Promise<DuplexListener> {
    if (this.#listeners.has(address)) {
      return Promise.reject(
        new ShimError("AlreadyExists", `"${address}" is served already`),
      );
    }
    const listener = new MemoryListener(() => this.#listeners.delete(address));
    this.#listeners.set(address, listener);
    return Promise.resolve(listener);
  }

  connect(address: string): Promise<Duplex> {
    const listener = this.#listeners.get(address);
    return listener === undefined
      ? Promise.reject(refused(`nobody serves "${address}"`))
      : Promise.resolve(listener.dial());
  }

  stdio(
    url: string,
    _name: StdioName,
    options: StdioOptions = {},
  ): Promise<Duplex> {
    this.streamOptions.set(url, options);
    if (url.startsWith("served:")) return this.connect(url);
    const [mine, theirs] = memoryPair();
    this.streams.set(url, mine);
    return Promise.resolve(theirs);
  }

  serveStdio(terminal: boolean): Promise<ServedStdio> {
    const id = ++this.#servedCount;
    this.servedStdio++;
    return serveStdio({
      terminal,
      addressOf: (stream) => `served:${id}:${stream}`,
      listen: (address) => this.listen(address),
      release: () => {
        this.servedStdio--;
        return Promise.resolve();
      },
    });
  }

  startLogger(url: string, process: LoggedProcess): Promise<LoggingProgram> {
    const program = new FakeLoggingProgram();
    this.programs.push({ url, process, program });
    return Promise.resolve(program);
  }

  logSink(): Promise<(line: string) => void> {
    return Promise.resolve(() => {});
  }

  logFolder(_use: "read" | "write"): Promise<string> {
    if (this.logs !== undefined) return Promise.resolve(this.logs);
    return Promise.reject(
      new ShimError("FailedPrecondition", "The test has no folder for logs"),
    );
  }

  spawnDetached(
    ...started: Parameters<Platform["spawnDetached"]>
  ): Promise<DetachedProcess> {
    const child = new FakeChild(started);
    child.ready.catch(() => {});
    this.children.push(child);
    this.onSpawn(child);
    return Promise.resolve(child);
  }

  layers(_source: LayerSource): Promise<LayerSet> {
    return Promise.resolve(this.layerSet);
  }

  cleanUp(namespace: string, key: string): Promise<void> {
    this.cleaned.push(`${namespace}/${key}`);
    return Promise.resolve();
  }

  leftovers(): Promise<readonly Leftover[]> {
    return Promise.resolve(this.left);
  }

  announceReady(): Promise<void> {
    return Promise.resolve();
  }

  systemEvents(onCaptureState: () => void = () => {}): Promise<SystemEvents> {
    this.captureState = onCaptureState;
    return Promise.resolve({
      write: (name, fields) => void this.systemEvent.push({ name, ...fields }),
    });
  }

  vmMemory(runtimeId: string): Promise<VmMemoryCounter> {
    return Promise.reject(
      new ShimError("NotFound", `No process of "${runtimeId}"`),
    );
  }

  async *diagnose(): AsyncGenerator<Finding> {
    yield* this.findings;
  }
}
