import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { silentLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { allStdio, FakeClient } from "../testing/fake_stdio.ts";
import { type ClientStreams, openUpstream } from "./stdio.ts";

Deno.test("openUpstream() whose caller leaves at the last stream leaves none open", async () => {
  const client = new FakeClient();
  const caller = new AbortController();
  const gone = new ShimError("Canceled", "nobody waits");
  const streams: ClientStreams = {
    open: async (...args) => {
      const stream = await client.open(...args);
      if (args[1] === "stderr") caller.abort(gone);
      return stream;
    },
    startLogger: (...args) => client.startLogger(...args),
  };
  const error = await assertRejects(() =>
    openUpstream(streams, allStdio, { containerId: "web", execId: "" }, {
      log: silentLogger,
      clock: new FakeClock(),
      timeouts: defaultTimeouts,
    }, caller.signal)
  );
  assertEquals(error, gone);
  assertEquals(client.events, [
    "closed stdin",
    "closed stdout",
    "closed stderr",
  ]);
});
