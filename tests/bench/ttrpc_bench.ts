/** A unary call there and back over memory, both ends in this process. */

import { systemClock } from "../../base/clock.ts";
import { memoryPair } from "../../base/duplex.ts";
import { silentLogger } from "../../base/log.ts";
import { TtrpcClient } from "../../ttrpc/client.ts";
import { TtrpcServer } from "../../ttrpc/server.ts";
import { Echo } from "../../ttrpc/testing.ts";

function connect(): TtrpcClient {
  const server = new TtrpcServer({ log: silentLogger, clock: systemClock });
  server.register(Echo, { Say: (request) => Promise.resolve(request) });
  const [near, far] = memoryPair();
  server.handle(far);
  return new TtrpcClient(near);
}

for (const [name, size] of [["64 B", 64], ["64 KiB", 65_536]] as const) {
  const client = connect();
  const request = { typeUrl: "", value: new Uint8Array(size).fill(7) };
  Deno.bench(`unary call, ${name} payload`, { group: "ttrpc" }, async () => {
    await client.call(Echo, "Say", request);
  });
}
