import { assert, assertEquals } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import type { SystemEvents } from "../../hcs/ports.ts";
import { FakeWindows } from "../mock/windows/machine.ts";
import { logPipeName } from "./io/log_pipe.ts";
import { PipeListener } from "./io/pipe_listener.ts";
import { WindowsIo } from "./io/windows_io.ts";
import { type Advapi32Symbols, enableCallback } from "./library/advapi32.ts";
import { blockingSlots } from "./library/native_calls.ts";
import { windowsPlatform } from "./platform.ts";

/** `EVENT_CONTROL_CODE_CAPTURE_STATE`. */
const captureState = 2;

const windows = new FakeWindows();
const registered: Deno.PointerValue[] = [];
const asked = Promise.withResolvers<void>();
let written = "";

const advapi32: Advapi32Symbols = {
  ...windows.libraries.advapi32,
  EventRegister: (_id, callback) => {
    registered.push(callback);
    return 0;
  },
  EventSetInformation: () => 0,
  EventWriteTransfer: (_handle, _descriptor, _a, _b, _count, data) => {
    written += new TextDecoder().decode(data as Uint8Array);
    return 0;
  },
};

const io = new WindowsIo({
  ...windows.libraries,
  kernel32: windows.libraries.kernel32,
  advapi32,
});

const platform = windowsPlatform({
  io,
  slots: blockingSlots(1),
  clock: new FakeClock(),
  timeouts: defaultTimeouts,
  log: silentLogger,
});

let events: SystemEvents;

// Its callback is never closed, which the sanitizers of a test would miss.
Deno.test.beforeAll(async () => {
  events = await platform.systemEvents(asked.resolve);
});

Deno.test("lines of the log are events, too, and who asks for the state is heard, over one provider", async () => {
  // Somebody else serves the log pipe: the lines are events all the same.
  const other = PipeListener.open(io, logPipeName("n", "web"));
  const sink = await platform.logSink("n", "web", "C:\\bundle");
  sink('{"msg":"hello"}');
  events.write("ShimLaunched", { Args: ["serve"] });
  assert(written.includes('{"msg":"hello"}') && written.includes("Launched"));
  assertEquals(registered.length, 1);
  const callback = registered[0] as Deno.PointerObject<typeof enableCallback>;
  new Deno.UnsafeFnPointer(callback, enableCallback)
    .call(null, captureState, 0, 0n, 0n, null, null);
  await asked.promise;
  await other.close();
  io.close();
  assertEquals(windows.leftovers(), []);
  windows[Symbol.dispose]();
});
