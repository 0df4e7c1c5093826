import { assertEquals, assertThrows } from "@std/assert";
import { HResultError } from "../../../base/hresult.ts";
import { readParameter } from "../../mock/heap.ts";
import { judgeService, type ServiceLibraries } from "./services.ts";

/** A machine whose services have these states; a text is the call that fails. */
class FakeServices implements ServiceLibraries {
  /** Handles that are open. */
  readonly open = new Set<bigint>();
  readonly #states: Readonly<Record<string, number>>;
  readonly #failing: { readonly call?: string; readonly code?: number };
  #last = 0;

  constructor(
    states: Readonly<Record<string, number>>,
    failing: { readonly call?: string; readonly code?: number } = {},
  ) {
    this.#states = states;
    this.#failing = failing;
  }

  readonly kernel32 = { GetLastError: () => this.#last };

  readonly advapi32: ServiceLibraries["advapi32"] = {
    OpenSCManagerW: () => this.#make("OpenSCManagerW", 1n),
    OpenServiceW: (_manager, name) => {
      const index = Object.keys(this.#states).indexOf(readParameter(name));
      if (index < 0) this.#last = 1060;
      return index < 0 ? 0n : this.#make("OpenServiceW", BigInt(index + 2));
    },
    QueryServiceStatus: (service, status) => {
      if (this.#fails("QueryServiceStatus")) return 0;
      const state = Object.values(this.#states)[Number(service) - 2]!;
      new DataView((status as Uint8Array).buffer).setUint32(4, state, true);
      return 1;
    },
    CloseServiceHandle: (handle) => {
      // The next error is another one.
      this.#last = 6;
      return this.open.delete(BigInt(handle)) ? 1 : 0;
    },
  };

  #fails(call: string): boolean {
    if (this.#failing.call !== call) return false;
    this.#last = this.#failing.code ?? 5;
    return true;
  }

  #make(call: string, handle: bigint): bigint {
    if (this.#fails(call)) return 0n;
    this.open.add(handle);
    return handle;
  }
}

Deno.test("judgeService() tells what a service does, and closes every handle", () => {
  const services = new FakeServices({ running: 4, idle: 1, odd: 99 });
  const judge = (name: string) => judgeService(services, name, "gap");
  assertEquals(judge("running"), { found: "running" });
  const advice = "Start-Service idle";
  assertEquals(judge("idle"), { state: "gap", found: "stopped", advice });
  assertEquals(judge("odd").found, "in the unknown state 99");
  assertEquals(judge("absent"), { state: "gap", found: "not installed" });
  assertEquals(services.open.size, 0);
});

Deno.test("judgeService() can make a warning of a service that does not run", () => {
  const services = new FakeServices({ hns: 1 });
  assertEquals(judgeService(services, "hns", "warning").state, "warning");
});

Deno.test.each([["OpenSCManagerW"], ["OpenServiceW"], ["QueryServiceStatus"]])(
  "judgeService() names the code when %s fails, and closes every handle",
  (call: string) => {
    const services = new FakeServices({ vmcompute: 4 }, { call });
    const error = assertThrows(
      () => judgeService(services, "vmcompute", "gap"),
      HResultError,
      "E_ACCESSDENIED (0x80070005)",
    );
    assertEquals(error.code, "PermissionDenied");
    assertEquals(services.open.size, 0);
  },
);
