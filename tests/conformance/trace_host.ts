/**
 * The host of a trace, in memory: it answers as the recorded one did.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import {
  formatJson,
  type Json,
  type JsonObject,
  parseJson,
} from "../../base/json.ts";
import { joinWindowsPath } from "../../base/windows_path.ts";
import { FakeSockets } from "../../controllers/testing/fake_sockets.ts";
import { pipeOf } from "../../ffi/windows/io/stdio.ts";
import { windowsLayers } from "../../ffi/windows/storage/layers.ts";
import {
  hostEndpoint,
  hostNamespace,
} from "../../ffi/windows/network/documents.ts";
import type {
  ComputeHost,
  ComputeSystem,
  ExitInfo,
  HostFiles,
  HostNetwork,
  WindowsHost,
} from "../../hcs/ports.ts";
import { FakePlatform } from "../../shim/fake_platform.ts";
import { objectOf, objectsOf, plain, textOf } from "./json.ts";
import { TraceGuest } from "./trace_guest.ts";
import { unpacked } from "./trace_layout.ts";

/** Processors of the recorded host. */
const processors = 8;

const hasFailed = 0x8000_0000;

/** How the peer names a file of the volume `C:`. */
function onVolume(path: string): string {
  return path.replace(/^[Cc]:\\/, "\\\\?\\Volume{<volume-guid>}\\");
}

function notFound(what: string): ShimError {
  return new ShimError("NotFound", `"${what}" was not found`);
}

/** The pipes that nobody served, as the recorded replies tell. */
function unservedPipes(events: readonly JsonObject[]): Set<string> {
  const texts = events.map(({ error }) => textOf(objectOf(error).message));
  return new Set(
    texts.flatMap((text) =>
      /open (\\\\\.\\pipe\\[^:]*):/.exec(text)?.[1] ?? []
    ),
  );
}

/** The files that were not there, as the recorded replies tell. */
function missingFiles(events: readonly JsonObject[]): Set<string> {
  const texts = events.map(({ error }) => textOf(objectOf(error).message));
  return new Set(
    texts.flatMap((text) =>
      /: (?:CreateFile|GetFileAttributesEx) ([^:]*:[^:]*):/.exec(text)?.[1] ??
        []
    ),
  );
}

/** Takes an event of ours. */
export type Note = (event: JsonObject) => void;

/** The recorded answers to calls of the host, each for one call. */
class Answers {
  readonly #left: JsonObject[];

  constructor(events: readonly JsonObject[]) {
    this.#left = events.filter(({ log, fn }) =>
      log === "host" && fn !== undefined
    );
  }

  /**
   * The answer to a call with these arguments, or else to the next of its name.
   *
   * @throws {HResultError} what the host answered.
   */
  take(fn: string, args: JsonObject): Json {
    const text = formatJson(unpacked(args));
    const same = this.#left.findIndex((event) =>
      event.fn === fn && formatJson(unpacked(event.args!)) === text
    );
    const index = same >= 0
      ? same
      : fn === "HcsModifyComputeSystem"
      ? -1
      : this.#left.findIndex((event) => event.fn === fn);
    const [answer] = index < 0 ? [] : this.#left.splice(index, 1);
    const hr = Number(textOf(answer?.hr));
    if (hr >= hasFailed) throw new HResultError(hr, fn);
    return unpacked(answer?.result ?? {});
  }
}

/** A VM of the trace. */
class TraceSystem implements ComputeSystem {
  readonly id: string;
  readonly runtimeId: string;
  readonly exited: Promise<ExitInfo>;
  readonly guest: TraceGuest;
  readonly #host: TraceHost;
  readonly #exited = Promise.withResolvers<ExitInfo>();
  #hasExited = false;

  constructor(host: TraceHost, id: string) {
    this.#host = host;
    this.id = id;
    this.exited = this.#exited.promise;
    this.runtimeId = textOf(
      objectOf(host.call("HcsGetComputeSystemProperties", { id, query: {} }))
        .RuntimeId,
    );
    this.guest = new TraceGuest(host.events, host.note, host.sockets);
  }

  async start(): Promise<void> {
    await Promise.resolve();
    this.#host.call("HcsStartComputeSystem", { id: this.id, options: "" });
    this.guest.boot().catch(() => {}); // the host has given up
  }

  async modify(request: Json): Promise<void> {
    await Promise.resolve();
    const args = { id: this.id, configuration: { $json: plain(request) } };
    if (this.#hasExited) {
      throw new HResultError(HResult.SystemAlreadyStopped, "modify");
    }
    this.#host.call("HcsModifyComputeSystem", args);
  }

  async properties(query: Json): Promise<Json> {
    await Promise.resolve();
    const args = { id: this.id, query: { $json: plain(query) } };
    return this.#host.call("HcsGetComputeSystemProperties", args);
  }

  async terminate(): Promise<void> {
    await Promise.resolve();
    this.#host.call("HcsTerminateComputeSystem", { id: this.id, options: "" });
    await this.exit({ status: 0, exitType: "ForcedExit" });
  }

  async close(): Promise<void> {
    await this.exit({ status: 0, exitType: "ForcedExit" });
  }

  async exit(info: ExitInfo): Promise<void> {
    if (!this.#hasExited) {
      const data = { Status: info.status, ExitType: info.exitType };
      this.#host.note({ log: "host", event: "SystemExited", data });
    }
    this.#hasExited = true;
    this.#exited.resolve(info);
    await this.guest.die();
  }
}

/** See the module. */
export class TraceHost {
  /** The recording. */
  readonly events: readonly JsonObject[];
  /** Takes our events. */
  readonly note: Note;
  /** Where guests dial. */
  readonly sockets = new FakeSockets();
  /** VMs in the order of their creation. */
  readonly systems: TraceSystem[] = [];
  /** The operating system. */
  readonly platform = new FakePlatform();
  readonly #answers: Answers;
  readonly #text: string;
  /** Namespaces with their endpoints, as the scenario has them now. */
  #networks: JsonObject = {};

  /**
   * @param events The recording.
   * @param note Takes our events.
   */
  constructor(events: readonly JsonObject[], note: Note) {
    this.events = events;
    this.note = note;
    this.#answers = new Answers(events);
    this.#text = formatJson(
      events.filter(({ log }) => log === "host" || log === "bridge"),
    );
    this.platform.os = "windows";
    const open = this.platform.stdio.bind(this.platform);
    const unserved = unservedPipes(events);
    this.platform.stdio = async (url, name) => {
      const pipe = pipeOf(url, name);
      if (unserved.has(pipe)) throw notFound(pipe);
      return await open(url, name);
    };
    this.platform.layers = (source) =>
      windowsLayers(source, () => Promise.resolve(), () => Promise.resolve());
  }

  /** The scenario changes the endpoints. */
  prepareNetwork(value: JsonObject): void {
    this.#networks = value;
  }

  /** Makes a call. */
  call(fn: string, args: JsonObject): Json {
    this.note({ log: "host", fn, args });
    return this.#answers.take(fn, args);
  }

  get #compute(): Partial<ComputeHost> {
    return {
      create: async (id, document) => {
        await Promise.resolve();
        const configuration = { $json: plain(document) };
        this.call("HcsCreateComputeSystem", { id, configuration });
        const system = new TraceSystem(this, id);
        this.systems.push(system);
        return system;
      },
      enumerate: () => Promise.resolve([]),
      serviceProperties: () =>
        Promise.resolve({
          Properties: [{ LogicalProcessorCount: processors }],
        }),
      grantAccess: async (vmId, path) => {
        await Promise.resolve();
        this.call("GrantVmAccess", { vmId, path });
      },
    };
  }

  get #files(): HostFiles {
    const missing = missingFiles(this.events);
    return {
      join: joinWindowsPath,
      resolve: (path) =>
        missing.has(path)
          ? Promise.reject(notFound(path))
          : Promise.resolve(onVolume(path)),
      stat: (path) => {
        if (missing.has(path)) return Promise.reject(notFound(path));
        const name = JSON.stringify(path.split("\\").at(-1));
        const isFile = this.#text.includes(`"AllowedFiles":[${name}]`);
        return Promise.resolve(isFile ? "file" : "directory");
      },
      read: (path) => Promise.reject(notFound(path)),
      copy: () => Promise.resolve(),
      grantVmGroup: () => Promise.resolve(),
      defaultBootDirectory: () => Promise.resolve("C:\\boot"),
      bootFiles: (directory) => {
        const start = `${directory}\\`;
        const names = this.#strings().filter((text) => text.startsWith(start))
          .map((text) => text.slice(start.length));
        return Promise.resolve(new Set(names));
      },
    };
  }

  /** All texts that the recorded host was given. */
  #strings(): string[] {
    const found = this.#text.match(/"(?:[^"\\]|\\.)*"/g) ?? [];
    return found.map((text) => textOf(parseJson(text)));
  }

  get #network(): Partial<HostNetwork> {
    return {
      namespace: (id) => {
        const endpoints = this.#networks[id.toLowerCase()];
        if (endpoints === undefined) return Promise.reject(notFound(id));
        return Promise.resolve(hostNamespace(
          parseJson(formatJson({
            ID: id,
            NamespaceId: 1,
            Resources: objectsOf(endpoints).map(({ ID }) => ({
              Type: "Endpoint",
              Data: { Id: ID! },
            })),
          })),
          id,
        ));
      },
      endpoint: (id) => {
        const all = Object.values(this.#networks).flatMap(objectsOf);
        const endpoint = all.find(({ ID }) => ID === id);
        return endpoint === undefined
          ? Promise.reject(notFound(id))
          : Promise.resolve(hostEndpoint(endpoint, id));
      },
    };
  }

  /** The ports. */
  get ports(): WindowsHost {
    return {
      compute: this.#compute as ComputeHost,
      files: this.#files,
      network: this.#network as HostNetwork,
      sockets: this.sockets,
      platform: this.platform,
    };
  }
}
