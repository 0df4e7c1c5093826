import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { silentLogger as log } from "../base/log.ts";
import type { Frame } from "./frames.ts";
import type { GuestHandlers, HandledRpc } from "./handlers.ts";
import { protocolVersion, requestTypes } from "./message_types.ts";
import { RequestDispatcher } from "./request_dispatcher.ts";
import { rpcs } from "./rpcs.ts";
import { negotiate, serve } from "./served_bridge.ts";

const signal = new AbortController().signal;
const notImplemented = -2147467263;
const names = Object.keys(rpcs).filter((name) => name !== "NegotiateProtocol");

/** Handlers that tell their names when they are called. */
function handlers(called: string[]): GuestHandlers {
  return Object.fromEntries(
    names.map((name) => [name, () => {
      called.push(name);
      return Promise.resolve(name === "DumpStacks" ? { GuestStacks: "s" } : {});
    }]),
  ) as unknown as GuestHandlers;
}

function dispatcher(
  called: string[] = [],
  versions?: readonly number[],
): RequestDispatcher {
  return new RequestDispatcher(handlers(called), {
    log,
    signal,
    ...(versions && { versions }),
  });
}

function frame(type: number, body: object = {}): Frame {
  const text = JSON.stringify({ ContainerId: "c", ActivityId: "", ...body });
  return { type, id: 1n, text };
}

const negotiated = { version: protocolVersion };

Deno.test("guest:A1 a new dispatcher has a route for every call", async () => {
  const it = dispatcher();
  for (const name of names) {
    const type = requestTypes[name as HandledRpc];
    const answer = await it.dispatch(frame(type), negotiated);
    // Some requests say too little, which their route finds out.
    assertEquals(answer["Result"] === notImplemented, false, name);
  }
});

Deno.test("guest:A2 a handler that is missing is a fault of the program", () => {
  for (const value of [undefined, null, "Start"]) {
    const broken = {
      ...handlers([]),
      Start: value,
    } as unknown as GuestHandlers;
    assertThrows(
      () => new RequestDispatcher(broken, { log, signal }),
      TypeError,
      "The call Start has no handler",
    );
  }
});

Deno.test("guest:A3 a dispatcher that its constructor did not make cannot be used", () => {
  const fake = Object.create(RequestDispatcher.prototype) as RequestDispatcher;
  assertThrows(
    () => fake.dispatch(frame(requestTypes.DumpStacks), { version: 0 }),
    TypeError,
  );
});

Deno.test("guest:A4 a call reaches the very handler of its type, under the version that is in force", async () => {
  const called: string[] = [];
  const it = dispatcher(called);
  await it.dispatch(frame(requestTypes.Start), negotiated);
  await it.dispatch(frame(requestTypes.DumpStacks), negotiated);
  assertEquals(called, ["Start", "DumpStacks"]);
  const early = it.dispatch(frame(requestTypes.Start), { version: 0 });
  assertEquals((await early)["Result"], notImplemented);
  assertEquals(called.length, 2);
});

Deno.test("guest:A5 no request is a fault of the program, and reaches no handler", () => {
  const called: string[] = [];
  const it = dispatcher(called);
  assertThrows(
    () => it.dispatch(undefined as unknown as Frame, negotiated),
    TypeError,
  );
  assertEquals(called, []);
});

Deno.test("guest:A6 without versions nothing is handled: an error, and no response of a handler", async () => {
  const called: string[] = [];
  const it = dispatcher(called, []);
  const answer = await it.dispatch(frame(requestTypes.DumpStacks), negotiated);
  assertEquals([answer["Result"], answer["GuestStacks"]], [
    notImplemented,
    undefined,
  ]);
  assertStringIncludes(
    String(answer["ErrorMessage"]),
    "bridge: function not supported",
  );
  assertEquals(called, []);
});

Deno.test("guest:A7 a type that nobody handles reaches no other handler", async () => {
  const called: string[] = [];
  const answer = await dispatcher(called).dispatch(
    frame(requestTypes.UpdateContainer),
    negotiated,
  );
  assertEquals([answer["Result"], called], [notImplemented, []]);
});

Deno.test("guest:A8 the response of a handler passes unchanged", async () => {
  const answer = await dispatcher().dispatch(
    frame(requestTypes.DumpStacks),
    negotiated,
  );
  assertEquals(answer, { Result: 0, GuestStacks: "s" });
});

Deno.test("guest:A9 the same holds for what comes over a connection", async () => {
  const called: string[] = [];
  const { host, served } = serve(handlers(called));
  await negotiate(host);
  await host.send(requestTypes.UpdateContainer, 7, { ContainerId: "c" });
  assertEquals((await host.receive()).body["Result"], notImplemented);
  assertEquals(called, []);
  await host.send(requestTypes.DumpStacks, 8, {
    ContainerId: "c",
    ActivityId: "",
  });
  const { body } = await host.receive();
  assertEquals([body["Result"], body["GuestStacks"]], [0, "s"]);
  assertEquals(called, ["DumpStacks"]);
  await host.stream.close();
  await served;
});
