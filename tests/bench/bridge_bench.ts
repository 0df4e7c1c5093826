/**
 * One call over the bridge and back over memory, both sides in this process:
 * without spans, and with spans and metrics on both sides, as the programs have
 * them.
 */

import { memoryPair } from "../../base/duplex.ts";
import { silentLogger as log } from "../../base/log.ts";
import { SpanTracer } from "../../base/spans.ts";
import { noTracer, type Tracer } from "../../base/trace.ts";
import { GuestConnection } from "../../bridge/connection.ts";
import { fakeHandlers } from "../../bridge/fake_handlers.ts";
import { BridgeGuest } from "../../bridge/guest.ts";
import { GuestBridge } from "../../bridge/server.ts";
import { countSpan, newShimMetrics } from "../../shim/metrics.ts";

const Properties = JSON.stringify({
  ProcessList: [{ ProcessId: 101 }, { ProcessId: 117 }],
});

async function connect(
  hostTracer: Tracer,
  guestTracer: Tracer,
): Promise<BridgeGuest> {
  const bridge = new GuestBridge(
    fakeHandlers({ GetProperties: () => Promise.resolve({ Properties }) }),
    { log, tracer: guestTracer },
  );
  const [host, guest] = memoryPair();
  bridge.serve(guest);
  const connection = await GuestConnection.open(host, {
    log,
    tracer: hostTracer,
  });
  return new BridgeGuest(
    connection,
    () => Promise.reject(new Error("this bench opens no streams")),
  );
}

const plain = await connect(noTracer, noTracer);
const counting = new SpanTracer();
const metrics = newShimMetrics();
counting.onEnd((span) => countSpan(metrics, span));
const traced = await connect(counting, new SpanTracer());

Deno.bench("GetProperties, one round trip", {
  group: "bridge",
  baseline: true,
}, async () => {
  await plain.properties("web", ["ProcessList"]);
});

Deno.bench("GetProperties, traced and counted", {
  group: "bridge",
}, async () => {
  await traced.properties("web", ["ProcessList"]);
});
