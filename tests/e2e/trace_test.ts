/** One trace from a client through shim and guest, as logs and a collector have it. */

import { assert, assertEquals } from "@std/assert";
import { libc } from "../../ffi/linux/libc.ts";
import { Options } from "../../ttrpc/api/runhcs_options.gen.ts";
import { Sandbox } from "../../ttrpc/api/sandbox.gen.ts";
import { TaskV3 } from "../../ttrpc/api/task.gen.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { limit } from "./fixture.ts";
import { rig, shim } from "./sandbox_fixture.ts";

// Opened outside of the tests, whose sanitizers would miss its closing.
Deno.test.beforeAll(() => {
  libc();
});

/** A span as the collector gets it (OTLP, JSON). */
interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly status: { readonly code?: number };
}

/** The part of an OTLP request that is looked at. */
interface OtlpTraces {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

/** A collector on this machine. */
class Collector implements AsyncDisposable {
  readonly spans: OtlpSpan[] = [];
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const body = await request.json();
      if (new URL(request.url).pathname === "/v1/traces") {
        const { resourceSpans } = body as OtlpTraces;
        this.spans.push(
          ...resourceSpans.flatMap(({ scopeSpans }) =>
            scopeSpans.flatMap(({ spans }) => spans)
          ),
        );
      }
      return Response.json({});
    },
  );

  /** What makes Deno send its spans here. */
  get env(): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
    };
  }

  /** The names of the spans from a span up to one that is not here. */
  path(span: OtlpSpan): string[] {
    const parent = this.spans.find(({ spanId }) =>
      spanId === span.parentSpanId
    );
    return [span.name, ...(parent === undefined ? [] : this.path(parent))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** A collector that takes connections and answers nothing. */
class SilentCollector implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns: Deno.Conn[] = [];
  readonly #accepting = this.#accept();

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) this.#conns.push(conn);
  }

  /** How many clients came. */
  get clients(): number {
    return this.#conns.length;
  }

  /** What makes Deno send its spans here. */
  get env(): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT:
        `http://127.0.0.1:${this.#listener.addr.port}`,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const conn of this.#conns) conn.close();
  }
}

type Line = Readonly<Record<string, unknown>>;

function linesOf(text: string): Line[] {
  return text.split("\n").filter((line) => line !== "").map((line) =>
    JSON.parse(line)
  );
}

const traceId = "0af7651916cd43dd8448eb211c80319c";
const callerSpan = "b7ad6b7169203331";
const metadata = { traceparent: `00-${traceId}-${callerSpan}-01` };

Deno.test({
  name:
    "host:M19 a call is one trace in the shim's log, in the guest's log and in the collector",
  timeout: limit,
  fn: async () => {
    const id = "trace1";
    await using collector = new Collector();
    const env = { ...collector.env, LCOW_LOG_LEVEL: "debug" };
    let logged: () => string;
    {
      await using it = await rig(id, undefined, env);
      const { client, bundle } = it;
      logged = bundle.logged;
      await client.call(Sandbox, "CreateSandbox", {
        sandboxId: id,
        bundlePath: bundle.path,
        options: {
          typeUrl: Options.typeName,
          value: Options.encode({ logLevel: "debug" }),
        },
      });
      await client.call(Sandbox, "StartSandbox", { sandboxId: id });
      const request = {
        id,
        bundle: bundle.path,
        rootfs: [...bundle.mounts],
        stdout: bundle.stdout,
      };
      await client.call(TaskV3, "Create", request, { metadata });
      await client.call(TaskV3, "Start", { id });
    }

    const inTrace = collector.spans.filter((span) => span.traceId === traceId);
    const create = inTrace.find(({ parentSpanId }) =>
      parentSpanId === callerSpan
    );
    assertEquals(create?.name, "containerd.task.v3.Task/Create");
    const guestCreate = inTrace.find(({ name }) => name === "bridge.Create");
    assert(guestCreate !== undefined);
    assertEquals(collector.path(guestCreate), [
      "bridge.Create",
      "containerd.task.v3.Task/Create",
    ]);
    const hcs = inTrace.find(({ name }) => name === "hcs.modify");
    assertEquals(collector.path(hcs!).at(-1), create?.name);
    const start = collector.spans.find(({ name }) =>
      name === "containerd.task.v3.Task/Start"
    );
    assert(start !== undefined && start.traceId !== traceId);

    const lines = linesOf(logged()).filter((line) =>
      line["trace_id"] === traceId
    );
    const spans = lines.filter(({ msg }) => msg === "Span");
    const own = spans.find(({ kind }) => kind === "rpc");
    assertEquals(
      [own?.["name"], own?.["span_id"], own?.["parent_span_id"]],
      ["containerd.task.v3.Task/Create", create?.spanId, callerSpan],
    );
    assertEquals([own?.["sandbox-id"], own?.["cid"]], [id, id]);
    const work = spans.find(({ kind, name }) =>
      kind === "guest" && name === "Create"
    );
    assertEquals([work?.["source"], work?.["parent_span_id"], work?.["cid"]], [
      "guest",
      guestCreate.spanId,
      id,
    ]);
  },
});

/** Milliseconds that something takes. */
async function taken(task: () => PromiseLike<unknown>): Promise<number> {
  const begun = performance.now();
  await task();
  return performance.now() - begun;
}

/** Runs the program until it exits. @returns Milliseconds that it took. */
function run(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<number> {
  return taken(async () => {
    const { success, stderr } = await new Deno.Command(shim, {
      args: [...args],
      cwd,
      env: { ...env },
      stdin: "null",
    }).output();
    assert(success, new TextDecoder().decode(stderr));
  });
}

Deno.test({
  name:
    "a collector that never answers holds up neither lcow nor delete nor the end of a shim",
  timeout: limit,
  fn: async () => {
    const id = "trace2";
    await using collector = new SilentCollector();
    const times: Record<string, number> = {};
    const it = await rig(id, undefined, collector.env);
    try {
      const { client, bundle, dir } = it;
      const env = { ...collector.env, LCOW_STATE: `${dir}/lcow` };
      await client.call(Sandbox, "CreateSandbox", {
        sandboxId: id,
        bundlePath: bundle.path,
      });
      times["lcow"] = await run(["lcow", "ps"], dir, env);
      const names = ["-namespace", "bench", "-id", "gone"];
      const about = [...names, "-bundle", `${dir}/gone`];
      times["delete"] = await run([...about, "delete"], dir, env);
    } finally {
      times["serve"] = await taken(() => it[Symbol.asyncDispose]());
    }
    // It is the shim that sends.
    assert(collector.clients > 0);
    const slow = Object.entries(times)
      .filter(([, ms]) => ms > defaultTimeouts.binaryDelete);
    assertEquals(slow, []);
  },
});
