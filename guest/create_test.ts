import { assert, assertRejects } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { HResultError } from "../base/hresult.ts";
import { withFakeVm } from "./fake_vm.ts";

Deno.test("a bundle behind a link is refused, and what the link leads to stays", () =>
  withFakeVm(async (vm) => {
    await Deno.mkdir(`${vm.folder}/kept`);
    await Deno.writeTextFile(`${vm.folder}/kept/file`, "");
    await Deno.symlink("kept", `${vm.folder}/link`);
    await assertRejects(
      () => vm.create({ id: "a", bundle: "link/a" }),
      ShimError,
      "symbolic link",
    );
    await assertRejects(() => vm.delete("a"), HResultError);
    const names = await Array.fromAsync(Deno.readDir(`${vm.folder}/kept`));
    assert(names.length === 1 && names[0]?.name === "file");
  }));
