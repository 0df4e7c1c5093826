import { assert, assertEquals } from "@std/assert";
import {
  containerdMajor,
  isContainerd,
  parseContainerdMajor,
} from "./containerd_version.ts";

Deno.test.each([
  ["containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20", 1],
  ["containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1", 1],
  ["containerd github.com/containerd/containerd/v2 v2.1.9 abc\n", 2],
  ["containerd github.com/containerd/containerd/v2 2.1.9+unknown ", 2],
  ["containerd github.com/containerd/containerd/v2 dev", 2],
  ["containerd github.com/containerd/containerd dev", undefined],
  ["k3s version v1.30.0", undefined],
  ["", undefined],
])("parseContainerdMajor() reads %o", (text: string, major?: number) => {
  assertEquals(parseContainerdMajor(text), major);
});

Deno.test("isContainerd() is true for containerd's own name alone", () => {
  assert(isContainerd("/usr/bin/containerd"));
  assert(isContainerd("C:\\Program Files\\containerd\\containerd.exe"));
  assert(!isContainerd("/usr/local/bin/k3s"));
  assert(!isContainerd("/opt/my-containerd"));
  assert(!isContainerd(""));
});

async function withScript(
  script: string,
  task: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "lcow-version-" });
  try {
    await Deno.writeTextFile(`${folder}/containerd`, `#!/bin/sh\n${script}\n`, {
      mode: 0o755,
    });
    await task(`${folder}/containerd`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("containerdMajor() takes the first line and does not wait for the end", async () => {
  const script = "echo containerd x/v2 v2.0.1 r; exec sleep 60";
  await withScript(script, async (path) => {
    assertEquals(await containerdMajor(path, AbortSignal.any([])), 2);
  });
});

Deno.test("containerdMajor() is unknown when the binary fails, floods or does not exist", async () => {
  const never = AbortSignal.any([]);
  await withScript("exit 1", async (path) => {
    assertEquals(await containerdMajor(path, never), undefined);
  });
  await withScript("exec tr '\\0' x </dev/zero", async (path) => {
    assertEquals(await containerdMajor(path, never), undefined);
  });
  assertEquals(await containerdMajor("/no/such/containerd", never), undefined);
});

Deno.test("containerdMajor() kills a silent binary when its time is over", async () => {
  await withScript("exec sleep 60", async (path) => {
    const timer = new AbortController();
    const major = containerdMajor(path, timer.signal);
    timer.abort();
    assertEquals(await major, undefined);
  });
});
