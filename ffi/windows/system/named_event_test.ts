import { assertEquals, assertThrows } from "@std/assert";
import { HResultError } from "../../../base/hresult.ts";
import { FakeWindows } from "../../mock/windows/machine.ts";
import { NamedEvent } from "./named_event.ts";

const name = "k8s.io-pod1";

Deno.test("what one opens and signals, the other one sees once", () => {
  using windows = new FakeWindows();
  const { kernel32 } = windows.libraries;
  const event = NamedEvent.create(kernel32, name);
  assertEquals(event.take(), false);
  const other = NamedEvent.open(kernel32, name)!;
  other.set();
  other.set();
  assertEquals([event.take(), event.take()], [true, false]);
  other.close();
  event.close();
  assertEquals(windows.leftovers(), []);
});

Deno.test("an event that nobody made is undefined", () => {
  using windows = new FakeWindows();
  const { kernel32 } = windows.libraries;
  assertEquals(NamedEvent.open(kernel32, name), undefined);
  NamedEvent.create(kernel32, name).close();
  assertEquals(
    NamedEvent.open(kernel32, name),
    undefined,
    "its last handle is closed",
  );
  assertEquals(windows.leftovers(), []);
});

Deno.test("one that exists is opened, with its state", () => {
  using windows = new FakeWindows();
  const { kernel32 } = windows.libraries;
  using first = NamedEvent.create(kernel32, name);
  first.set();
  using second = NamedEvent.create(kernel32, name);
  assertEquals(second.take(), true);
});

Deno.test("a failure names the event and the code", () => {
  using windows = new FakeWindows();
  const { kernel32 } = windows.libraries;
  using event = NamedEvent.create(kernel32, name);
  const failures: [string, number, () => unknown, string][] = [
    ["CreateEventW", 6, () => NamedEvent.create(kernel32, name), "make"],
    ["OpenEventW", 5, () => NamedEvent.open(kernel32, name), "open"],
    ["SetEvent", 6, () => event.set(), "signal"],
    ["WaitForSingleObject", 6, () => event.take(), "see"],
  ];
  for (const [symbol, code, call, verb] of failures) {
    windows.calls.fail(symbol, code);
    const error = assertThrows(
      call,
      HResultError,
      `Cannot ${verb} the event "${name}": E_`,
    );
    assertEquals(error.hresult, 0x8007_0000 + code);
  }
});

Deno.test("close() closes once; an event that is closed is not used any more", () => {
  using windows = new FakeWindows();
  const { kernel32 } = windows.libraries;
  const event = NamedEvent.create(kernel32, name);
  {
    using same = event;
    same.close();
  }
  event.close();
  assertThrows(() => event.set(), HResultError, "E_HANDLE");
  assertThrows(() => event.take(), HResultError, "E_HANDLE");
  assertEquals(windows.leftovers(), []);
});
