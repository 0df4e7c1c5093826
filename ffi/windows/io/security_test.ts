import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { HResultError } from "../../../base/hresult.ts";
import { FakeWindows } from "../../mock/windows/machine.ts";
import { securityOf } from "../../mock/windows/security.ts";
import { administratorsOnly, withSecurity } from "./security.ts";

Deno.test("the call gets attributes with the descriptor, which nobody inherits", () => {
  using windows = new FakeWindows();
  const result = withSecurity(
    windows.libraries,
    administratorsOnly,
    (attributes) => {
      const view = new DataView(attributes.buffer);
      assertEquals([view.getUint32(0, true), view.byteLength], [24, 24]);
      assertEquals(view.getInt32(16, true), 0);
      return securityOf(windows.kernel, attributes);
    },
  );
  assertEquals(result, "D:P(A;;GA;;;BA)(A;;GA;;;SY)");
  assertEquals(windows.leftovers(), []);
});

Deno.test("the descriptor is freed when the call throws", () => {
  using windows = new FakeWindows();
  const failure = new Error("no");
  const thrown = assertThrows(() =>
    withSecurity(windows.libraries, administratorsOnly, () => {
      throw failure;
    })
  );
  assertStrictEquals(thrown, failure);
  assertEquals(windows.leftovers(), []);
});

Deno.test("text that is no descriptor is refused with its code; the call is not made", () => {
  using windows = new FakeWindows();
  for (const sddl of ["", "everybody", "D:(A;;GA"]) {
    assertThrows(
      () =>
        withSecurity(windows.libraries, sddl, () => {
          throw new Error("called");
        }),
      HResultError,
      `Cannot read the security descriptor "${sddl}": HRESULT (0x80070538)`,
    );
  }
  assertEquals(windows.leftovers(), []);
});
