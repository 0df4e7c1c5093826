/**
 * A test in a guest agent of its own.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { HResultError } from "../../base/hresult.ts";
import { GuestVm, mustSkip } from "./guest_fixture.ts";

const ignore = await mustSkip("the guest");

/** A test in an agent of its own, which leaves nothing. */
export function guestTest(
  name: string,
  test: (vm: GuestVm) => Promise<void>,
): void {
  Deno.test({ name, ignore }, async () => {
    const vm = await GuestVm.start();
    try {
      await test(vm);
      assertEquals(await vm.leftovers(), []);
    } finally {
      await vm.stop();
    }
  });
}

/** Fails unless a call is refused with this HRESULT. */
export async function assertHResult(
  call: () => Promise<unknown>,
  hresult: number,
): Promise<void> {
  const error = await assertRejects(call, HResultError);
  assertEquals(error.hresult, hresult);
}
