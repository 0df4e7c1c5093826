import { assert, assertEquals, assertThrows } from "@std/assert";
import { HResultError } from "../../../base/hresult.ts";
import { guidText } from "../../../base/guid.ts";
import {
  type EventLibrary,
  EventProvider,
  providerId,
  providerName,
} from "./event_provider.ts";

/** The system's side: what it was told, and its callback. */
class Tracing implements EventLibrary {
  code = 0;
  id = "";
  traits = "";
  /** Levels and descriptors of the events, read while the call lasts. */
  readonly written: { level: number; texts: string[]; size: number }[] = [];
  enable: (code: number) => void = () => {};

  readonly advapi32: EventLibrary["advapi32"] = {
    EventRegister: (id, _callback, _context, handle) => {
      this.id = guidText(id as Uint8Array);
      (handle as BigUint64Array)[0] = 77n;
      return this.code;
    },
    EventSetInformation: (handle, kind, traits, length) => {
      assertEquals([handle, kind], [77n, 2]);
      assertEquals((traits as Uint8Array).length, length);
      this.traits = new TextDecoder().decode(
        (traits as Uint8Array).subarray(2, -1),
      );
      return 0;
    },
    EventWriteTransfer: (handle, descriptor, _a, _b, count, data) => {
      assertEquals(handle, 77n);
      const view = new DataView((data as Uint8Array<ArrayBuffer>).buffer);
      const parts = Array.from({ length: count }, (_, index) => {
        const pointer = Deno.UnsafePointer.create(
          view.getBigUint64(16 * index, true),
        );
        const size = view.getUint32(16 * index + 8, true);
        const bytes = Deno.UnsafePointerView.getArrayBuffer(pointer!, size);
        return new TextDecoder().decode(new Uint8Array(bytes).slice());
      });
      this.written.push({
        level: (descriptor as Uint8Array)[4]!,
        texts: parts.flatMap((part) => part.split("\0")),
        size: parts.reduce((sum, { length }) => sum + length, 0),
      });
      return 0;
    },
  };

  readonly onEnable: EventLibrary["onEnable"] = (receiver) => {
    this.enable = receiver;
    return Deno.UnsafePointer.create(1n)!;
  };
}

Deno.test("a provider registers under hcsshim's name and id, and writes events with members", () => {
  const tracing = new Tracing();
  const provider = new EventProvider(tracing, () => {});
  assertEquals([tracing.id, tracing.traits], [providerId, providerName]);
  provider.write("ShimLaunched", { Args: ["serve", "-id"], Version: "1" });
  const [{ level, texts } = { level: 0, texts: [] }] = tracing.written;
  assertEquals(level, 4);
  for (const text of ["ShimLaunched", "Args", "serve", "Version", "1"]) {
    assert(texts.some((found) => found.endsWith(text)), text);
  }
});

Deno.test("a text that is too long is cut so that the event fits", () => {
  const tracing = new Tracing();
  const provider = new EventProvider(tracing, () => {});
  provider.write("Stacks", { host: "ü".repeat(200_000), guest: "g" }, "error");
  const [{ level, size } = { level: 0, size: 0 }] = tracing.written;
  assertEquals(level, 2);
  assert(size < 0xffff - 1024, `${size}`);
});

Deno.test("a question for the state is answered in a turn of its own, others are not", async () => {
  const tracing = new Tracing();
  let asked = 0;
  new EventProvider(tracing, () => asked++);
  for (const code of [0, 1, 2]) tracing.enable(code);
  assertEquals(asked, 0);
  await Promise.resolve();
  assertEquals(asked, 1);
});

Deno.test("a system that does not register the provider is told of with its code", () => {
  const tracing = new Tracing();
  tracing.code = 8;
  const error = assertThrows(
    () => new EventProvider(tracing, () => {}),
    HResultError,
    "Cannot register for event tracing",
  );
  assertEquals(error.hresult, 0x8007_0008);
});
