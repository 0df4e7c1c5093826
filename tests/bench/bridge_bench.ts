/** One call over the bridge and back over memory, both sides in this process. */

import { memoryPair } from "../../base/duplex.ts";
import { silentLogger as log } from "../../base/log.ts";
import { GuestConnection } from "../../bridge/connection.ts";
import { fakeHandlers } from "../../bridge/fake_handlers.ts";
import { BridgeGuest } from "../../bridge/guest.ts";
import { GuestBridge } from "../../bridge/server.ts";

const Properties = JSON.stringify({
  ProcessList: [{ ProcessId: 101 }, { ProcessId: 117 }],
});

async function connect(): Promise<BridgeGuest> {
  const bridge = new GuestBridge(
    fakeHandlers({ GetProperties: () => Promise.resolve({ Properties }) }),
    { log },
  );
  const [host, guest] = memoryPair();
  bridge.serve(guest);
  const connection = await GuestConnection.open(host, { log });
  return new BridgeGuest(
    connection,
    () => Promise.reject(new Error("this bench opens no streams")),
  );
}

const guest = await connect();

Deno.bench("GetProperties, one round trip", { group: "bridge" }, async () => {
  await guest.properties("web", ["ProcessList"]);
});
