/**
 * Where our guest agent differs from the recorded one on purpose. The rules are
 * over requests; they see a case as {@linkcode recordedPlay} lays it out.
 *
 * @module
 */

import { nullGuid } from "../../base/guid.ts";
import { HResult } from "../../base/hresult.ts";
import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import type { Deviation } from "./deviation.ts";
import { lateAnswer } from "./guest_agent.ts";
import { objectOf, objectsOf, textOf } from "./json.ts";

/** Type of the answer to a request. */
function answerType(request: JsonObject): string {
  return textOf(request.type).replace("0x1", "0x2");
}

function answer(request: JsonObject, payload: JsonObject): JsonObject {
  return {
    request,
    response: {
      type: answerType(request),
      sameId: true,
      payload: { ActivityId: nullGuid, ...payload },
    },
  };
}

function refusal(request: JsonObject, hresult: number): JsonObject {
  const Result = hresult | 0;
  const record = {
    Result,
    ModuleName: "gcs",
    hasOwnMessage: false,
    isPlaced: true,
  };
  return answer(request, { Result, values: [], records: [record] });
}

/** The case with some exchanges replaced; undefined when none is. */
function replaced(
  output: JsonObject,
  change: (exchange: JsonObject) => JsonObject | undefined,
): JsonObject | undefined {
  let isChanged = false;
  const exchanges = objectsOf(output.exchanges).map((exchange) => {
    const other = change(exchange);
    isChanged ||= other !== undefined;
    return other ?? exchange;
  });
  return isChanged ? { ...output, exchanges } : undefined;
}

function targetOf(request: JsonObject): string {
  return textOf(objectOf(request.payload).ContainerId);
}

function resultOf(exchange: JsonObject): Json | undefined {
  return objectOf(objectOf(exchange.response).payload).Result;
}

/** A process of the VM itself. */
interface VmProcess {
  readonly hasTerminal: boolean;
  /** Size that its terminal was given. */
  size?: string;
  /** Signal that has ended it. */
  signal?: number;
}

/** The processes of the VM in one case, whom signals and sizes reach. */
class VmProcesses {
  readonly #byName = new Map<string, VmProcess>();
  #untold: number | undefined;

  /** What is expected instead of a recorded exchange; undefined for the same. */
  judge(exchange: JsonObject): JsonObject | undefined {
    if (exchange.message === "none") return this.#message();
    const request = objectOf(exchange.request);
    if (targetOf(request) !== nullGuid) return undefined;
    const payload = objectOf(request.payload);
    const process = this.#byName.get(String(payload.ProcessId));
    switch (request.name) {
      case "ExecuteProcess": {
        const { ProcessId } = objectOf(objectOf(exchange.response).payload);
        const { ProcessParameters } = objectOf(payload.Settings);
        const { EmulateConsole } = objectOf(objectOf(ProcessParameters).$json);
        const hasTerminal = EmulateConsole === true;
        if (ProcessId !== undefined) {
          this.#byName.set(String(ProcessId), { hasTerminal });
        }
        return undefined;
      }
      case "ResizeConsole":
        if (process === undefined) return undefined;
        if (!process.hasTerminal) return refusal(request, HResult.Fail);
        process.size = `${payload.Height} ${payload.Width}`;
        return answer(request, { Result: 0 });
      case "SignalProcess": {
        if (process === undefined || process.signal !== undefined) {
          return refusal(request, HResult.ElementNotFound);
        }
        const signal = Number(objectOf(payload.Options).Signal ?? 9);
        process.signal = this.#untold = signal;
        return answer(request, { Result: 0 });
      }
    }
    return undefined;
  }

  /** Who waits for a process that was signalled hears of its end. */
  #message(): JsonObject | undefined {
    if (this.#untold === undefined) return undefined;
    const ExitCode = 128 + this.#untold;
    this.#untold = undefined;
    const payload = { ActivityId: nullGuid, Result: 0, ExitCode };
    return { message: { type: "0x20100601", id: lateAnswer, payload } };
  }

  /** What a terminal that tells its size has told. */
  stream(stream: JsonObject): JsonObject {
    const { size } =
      [...this.#byName.values()].find((process) =>
        process.size !== undefined
      ) ?? {};
    const { data } = stream;
    return size === undefined || data !== "0 0\r\n"
      ? stream
      : { ...stream, data: `${size}\r\n` };
  }
}

/** Lines of a file of this machine. */
function lines(path: string): number {
  return Deno.readTextFileSync(path).trimEnd().split("\n").length;
}

/** Name of every VM of {@linkcode GuestVm}. */
const hostname = "uvm";

/** A workload of the recording that tells what machine it is on. */
const tellsMachine = /\bcat \/proc\/1\/cgroup \| wc -l; hostname\b/;

/** The rows. */
export const guestDeviations: readonly Deviation[] = [
  {
    set: "guest-agent",
    ours: "a document without a specification is refused",
    reason: "the peer crashes",
    defect: "no-specification",
    expected: ({ output }) =>
      replaced(
        output,
        ({ request, response }) =>
          response === "the guest agent crashed"
            ? refusal(objectOf(request), HResult.InvalidJson)
            : undefined,
      ),
  },
  {
    set: "guest-agent",
    ours: "the start of an unknown container is refused",
    reason: "the peer's success hides that nothing was started",
    defect: "unknown-start",
    expected: ({ output }) => {
      const known = new Set<string>();
      return replaced(output, (exchange) => {
        const request = objectOf(exchange.request);
        const id = targetOf(request);
        if (request.name === "Create" && resultOf(exchange) === 0) {
          known.add(id);
        }
        return request.name !== "Start" || known.has(id) || id === nullGuid
          ? undefined
          : refusal(request, HResult.SystemNotFound);
      });
    },
  },
  {
    set: "guest-agent",
    ours: "processes of the VM itself can be signalled and resized",
    reason: "the peer looks the null id up as a container",
    defect: "vm-processes",
    expected: ({ output }) => {
      const processes = new VmProcesses();
      const changed = replaced(output, (exchange) => processes.judge(exchange));
      if (changed === undefined || changed.streams === undefined) {
        return changed;
      }
      const streams = objectsOf(changed.streams).map((stream) =>
        processes.stream(stream)
      );
      return { ...changed, streams };
    },
  },
  {
    set: "guest-agent",
    ours: "a workload sees the control groups and the name of this machine",
    reason: "the recording has those of the machine where it was made",
    expected: ({ output }) => {
      const isTold = objectsOf(output.exchanges).some(({ request }) =>
        isJsonObject(request) && tellsMachine.test(JSON.stringify(request))
      );
      if (!isTold) return undefined;
      const streams = objectsOf(output.streams).map((stream) => ({
        ...stream,
        data: textOf(stream.data).replace(
          /\n\d+\n[^\n]+\n$/,
          `\n${lines("/proc/self/cgroup")}\n${hostname}\n`,
        ),
      }));
      return { ...output, streams };
    },
  },
];
