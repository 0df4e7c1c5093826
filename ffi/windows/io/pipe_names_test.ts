import { assertEquals, assertThrows } from "@std/assert";
import { classify } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { Semaphore } from "../../../base/queue.ts";
import { defaultTimeouts } from "../../../base/timeouts.ts";
import { FakeIo } from "../../mock/windows/bench.ts";
import { windowsPlatform } from "../platform.ts";
import { pipeNames } from "./pipe_names.ts";

const folder = "\\\\.\\pipe\\";
const protectedFolder = `${folder}protectedprefix\\administrators\\`;
const endpoint = `${protectedFolder}containerd-shim-k8s.io-pod1-pipe`;

/** Everything that is there, with these pipes. */
function withPipes(...names: readonly string[]): FakeIo {
  const bench = new FakeIo();
  for (const name of names) bench.windows.pipes.serve(name).add();
  return bench;
}

Deno.test("pipeNames() lists every pipe once, sorted, and gives its search back", async () => {
  const bench = withPipes(`${folder}b`, endpoint, `${folder}a`);
  const { kernel32 } = bench.windows.libraries;
  assertEquals(pipeNames(kernel32), [`${folder}a`, `${folder}b`, endpoint]);
  assertEquals(await bench.end(), []);
});

Deno.test("pipeNames() takes a computer without pipes", async () => {
  const bench = new FakeIo();
  assertEquals(pipeNames(bench.windows.libraries.kernel32), []);
  assertEquals(await bench.end(), []);
});

for (const symbol of ["FindFirstFileW", "FindNextFileW"] as const) {
  Deno.test(`pipeNames() says what ${symbol} answered, and holds nothing`, async () => {
    const bench = withPipes(endpoint);
    bench.windows.calls.fail(symbol, 5); // ERROR_ACCESS_DENIED
    const error = assertThrows(
      () => pipeNames(bench.windows.libraries.kernel32),
      HResultError,
      "Cannot list the named pipes: E_ACCESSDENIED",
    );
    assertEquals(classify(error), "PermissionDenied");
    assertEquals(await bench.end(), []);
  });
}

Deno.test("the platform's endpoints are the pipes that shims are given", async () => {
  const bench = withPipes(
    endpoint,
    `${folder}containerd-shim-k8s.io-pod1-pipe`,
    `${protectedFolder}containerd-shim-k8s.io-pod1-log`,
    `${protectedFolder}other-pipe`,
  );
  const { io, clock, log } = bench;
  const timeouts = defaultTimeouts;
  const slots = new Semaphore(1);
  const platform = windowsPlatform({ io, clock, log, timeouts, slots });
  assertEquals(await platform.endpoints(), [endpoint]);
  assertEquals(await bench.end(), []);
});
