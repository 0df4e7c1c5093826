/**
 * Runs under Wine: calls the compute service through the real DLL layer and
 * prints what it saw as one line of JSON.
 *
 * Usage: `vmcompute_script.ts life|failures|without-revoke`
 *
 * @module
 */

import { messageOf } from "../../base/errors.ts";
import { systemOpener } from "../../ffi/windows/library/dll.ts";
import { VmCompute } from "../../ffi/windows/compute/vmcompute.ts";
import { systemVmCompute } from "../../ffi/windows/compute/vmcompute_library.ts";

const [scenario] = Deno.args;
const dll = "C:\\windows\\System32\\vmcompute.dll";
const old = dll.replace("vmcompute", "vmcompute_old");
const opener = {
  ...systemOpener,
  open: <const S extends Deno.ForeignLibraryInterface>(
    path: string,
    symbols: S,
  ): Deno.DynamicLibrary<S> =>
    systemOpener.open(path.endsWith("vmcompute.dll") ? old : path, symbols),
};
const without = scenario === "without-revoke";
const compute = new VmCompute(systemVmCompute(without ? opener : undefined));
const seen: Record<string, unknown> = {};
const attempt = async (
  name: string,
  call: () => Promise<unknown>,
): Promise<void> => {
  try {
    seen[name] = await call() ?? "ok";
  } catch (error) {
    seen[name] = messageOf(error);
  }
};

if (scenario === "life") {
  const system = await compute.create("pod-é-無@vm", { Owner: "test" });
  seen.runtimeId = system.runtimeId;
  await attempt("start", () => system.start());
  await attempt("modify", () => system.modify({ ResourcePath: "a" }));
  await attempt("properties", () => system.properties({ A: "ü" }));
  await attempt("enumerate", () => compute.enumerate({}));
  await attempt("service", () => compute.serviceProperties({ B: 1 }));
  await attempt("grant", () => compute.grantAccess("vm", "C:\\a b.vhdx"));
  await attempt("revoke", () => compute.revokeAccess("vm", "C:\\a b.vhdx"));
  const opened = await compute.open("pod-é-無@vm");
  await attempt("terminate", () => system.terminate());
  await attempt("exit", () => system.exited);
  await attempt("exit of the second handle", () => opened.exited);
  await opened.close();
  await attempt("close", () => system.close());
} else if (without) {
  await attempt("grant", () => compute.grantAccess("vm", "x"));
  await attempt("revoke", () => compute.revokeAccess("vm", "x"));
} else {
  const system = await compute.create("a", {});
  await attempt("allow", () => compute.grantAccess("refuse", "all"));
  await attempt("create", () => compute.create("b", {}));
  await attempt("open", () => compute.open("a"));
  await attempt("start", () => system.start());
  await attempt("modify", () => system.modify({}));
  await attempt("properties", () => system.properties({}));
  await attempt("enumerate", () => compute.enumerate({}));
  await attempt("service", () => compute.serviceProperties({}));
  await attempt("revoke", () => compute.revokeAccess("vm", "x"));
  await attempt("terminate", () => system.terminate());
  await system.close();
  await attempt("start after close", () => system.start());
}
const counter = systemOpener.open(without ? old : dll, {
  FakeLiveStrings: { parameters: [], result: "i32" },
});
seen.leakedStrings = counter.symbols.FakeLiveStrings();
console.log(JSON.stringify(seen));
// The DLL's threads run on: a natural end would unload it under them.
Deno.exit(0);
