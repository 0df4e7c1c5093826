import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { guestSpec } from "../../oci/guest_spec.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import { refuseUnsupported } from "./refuse.ts";

const linux = {};
const windows = { layerFolders: ["C:\\layer"] };
const isolated = { ...windows, hyperv: {} };

/** What the sections of a specification say of it: is it a Linux container? */
const kinds: readonly [what: string, sections: Partial<Spec>, lcow: boolean][] =
  [
    ["linux section", { linux }, true],
    ["linux and a windows section", { linux, windows }, true],
    ["linux and an isolated windows section", {
      linux,
      windows: isolated,
    }, true],
    ["windows section", { windows }, false],
    ["isolated windows section", { windows: isolated }, false],
    ["section of neither", {}, false],
  ];

for (const [what, sections, isLinux] of kinds) {
  const outcome = isLinux ? "is taken" : "is refused";
  Deno.test(`host:O14 a container with a ${what} ${outcome} by the host and for the guest`, () => {
    const spec: Spec = { ociVersion: "1.1.0", ...sections };
    const place = { rootfs: "/rootfs", podId: "pod1" };
    for (
      const judge of [
        () => refuseUnsupported(spec),
        () => void guestSpec(spec, place),
      ]
    ) {
      if (isLinux) {
        judge();
        continue;
      }
      const error = assertThrows(judge, ShimError, "Linux containers only");
      assertEquals(error.code, "InvalidArgument");
    }
  });
}
