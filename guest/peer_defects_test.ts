/**
 * What recordings of hcsshim's agent show as faults of it (`peerDefects`), and what
 * we do instead. The ids `peer:…` are those of `tests/golden/peer_defects.ts`.
 */

import { assertEquals, assertRejects } from "@std/assert";
import { HResult, HResultError } from "../base/hresult.ts";
import { libc } from "../ffi/linux/libc.ts";
import { withFakeVm } from "./fake_vm.ts";

Deno.test.beforeAll(() => void libc());

Deno.test("peer:no-specification a container without a specification is refused, and the agent serves on", () =>
  withFakeVm(async (vm) => {
    const ContainerConfig = JSON.stringify({
      SchemaVersion: { Major: 2, Minor: 1 },
      OciBundlePath: vm.bundle({ id: "a" }),
    });
    const error = await assertRejects(
      () =>
        vm.handlers.Create(
          { ...vm.base("a"), ContainerConfig },
          vm.context("a"),
        ),
      HResultError,
      "OciSpecification",
    );
    assertEquals(error.hresult, HResult.InvalidJson);
    await vm.create({ id: "a" });
    await vm.delete("a");
  }));

Deno.test("peer:unknown-start the start of an unknown container is refused", () =>
  withFakeVm(async (vm) => {
    const start = (id: string): Promise<unknown> =>
      vm.handlers.Start(vm.base(id), vm.context(id));
    const error = await assertRejects(() => start("a"), HResultError);
    assertEquals(error.hresult, HResult.SystemNotFound);
    await vm.create({ id: "a" });
    await start("a");
    await vm.delete("a");
  }));
