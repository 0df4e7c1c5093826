import { assert, assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { HostMounts } from "./host_mounts.ts";

function refused(call: () => unknown, message: string): void {
  assertThrows(call, ShimError, message);
}

Deno.test("guest:E1 a read-write device is added and removed", () => {
  const mounts = new HostMounts();
  for (const encrypted of [true, false]) {
    mounts.addReadWrite("/mnt/rw", "/dev/sda", encrypted);
    mounts.removeReadWrite("/mnt/rw", "/dev/sda", encrypted);
  }
  assertEquals(mounts.has("/mnt/rw"), false);
  mounts.removeReadWrite("/mnt/rw", "/dev/sda", false);
});

Deno.test("guest:E2 a second read-write device at a path is refused", () => {
  const mounts = new HostMounts();
  mounts.addReadWrite("/mnt/rw", "/dev/sda", true);
  refused(() => mounts.addReadWrite("/mnt/rw", "/dev/sdb", true), "/mnt/rw");
  mounts.removeReadWrite("/mnt/rw", "/dev/sda", true);
});

Deno.test("guest:E3 guest:E4 a read-write device goes only by its source and its flag", () => {
  const mounts = new HostMounts();
  mounts.addReadWrite("/mnt/rw", "/dev/sda", true);
  refused(() => mounts.removeReadWrite("/mnt/rw", "/dev/sdb", true), "source");
  refused(
    () => mounts.removeReadWrite("/mnt/rw", "/dev/sda", false),
    "encrypted",
  );
  refused(() => mounts.removeReadOnly("/mnt/rw", "/dev/sda"), "type");
  refused(() => mounts.removeOverlay("/mnt/rw"), "type");
  assert(mounts.has("/mnt/rw"));
});

Deno.test("guest:E5 the deepest mount says whether a path is encrypted", () => {
  const mounts = new HostMounts();
  mounts.addReadWrite("/mnt/secret", "/dev/sda", true);
  const rows: [string, boolean][] = [
    ["/mnt/secret", true],
    ["/mnt/secret/a/b", true],
    ["/mnt/./secret//a/../b/", true],
    ["/mnt", false],
    ["/other", false],
    ["/mnt/secretive", false],
    ["/mnt/secret/../other", false],
  ];
  for (const [path, expected] of rows) {
    assertEquals(mounts.isEncrypted(path), expected, path);
  }
  mounts.addReadWrite("/mnt/secret/plain", "/dev/sdb", false);
  assertEquals(mounts.isEncrypted("/mnt/secret/plain/a"), false);
  assertEquals(mounts.isEncrypted("/mnt/secret/plainer"), true);
});

Deno.test("guest:E6 guest:E7 a read-only device is added once and removed", () => {
  const mounts = new HostMounts();
  mounts.addReadOnly("/mnt/ro", "/dev/sda");
  refused(() => mounts.addReadOnly("/mnt/ro", "/dev/sda"), "/mnt/ro");
  mounts.removeReadOnly("/mnt/ro", "/dev/sda");
  mounts.addReadOnly("/mnt/ro", "/dev/sda");
});

/** Three layers and a scratch. */
function withLayers(): HostMounts {
  const mounts = new HostMounts();
  for (const i of [0, 1, 2]) mounts.addReadOnly(`/mnt/l${i}`, `/dev/sd${i}`);
  mounts.addReadWrite("/mnt/rw", "/dev/sdz", true);
  return mounts;
}

const layers = [0, 1, 2].map((i) => `/mnt/l${i}`);

Deno.test("guest:E8 an overlay is added and removed; a removal can be taken back", () => {
  const mounts = withLayers();
  mounts.addOverlay("/c/rootfs", layers, "/mnt/rw/scratch");
  assert(mounts.hasOverlayAt("/c/rootfs"));
  const undo = mounts.removeOverlay("/c/rootfs");
  assert(!mounts.hasOverlayAt("/c/rootfs"));
  undo();
  assert(mounts.hasOverlayAt("/c/rootfs"));
  refused(() => mounts.removeReadOnly("/mnt/l0", "/dev/sd0"), "use it");
  mounts.removeOverlay("/c/rootfs");
  mounts.removeReadOnly("/mnt/l0", "/dev/sd0");
  mounts.removeOverlay("/c/rootfs");
});

Deno.test("guest:E9 layers and scratch stay while an overlay stands on them", () => {
  const mounts = withLayers();
  mounts.addOverlay("/c/rootfs", layers, "/mnt/rw/scratch");
  const removals = [
    ...[0, 1, 2].map((i) => () =>
      mounts.removeReadOnly(`/mnt/l${i}`, `/dev/sd${i}`)
    ),
    () => mounts.removeReadWrite("/mnt/rw", "/dev/sdz", true),
  ];
  for (const remove of removals) refused(remove, "use it");
  mounts.removeOverlay("/c/rootfs");
  for (const remove of removals) remove();
});

Deno.test("guest:E10 what overlays share stays until the last of them is gone", () => {
  const mounts = withLayers();
  mounts.addOverlay("/a/rootfs", layers.slice(0, 2), "/mnt/rw/a");
  mounts.addOverlay("/b/rootfs", layers.slice(1), "/mnt/rw/b");
  mounts.removeOverlay("/a/rootfs");
  mounts.removeReadOnly("/mnt/l0", "/dev/sd0");
  refused(() => mounts.removeReadOnly("/mnt/l1", "/dev/sd1"), "use it");
  refused(() => mounts.removeReadWrite("/mnt/rw", "/dev/sdz", true), "use it");
  mounts.removeOverlay("/b/rootfs");
  mounts.removeReadOnly("/mnt/l1", "/dev/sd1");
  mounts.removeReadOnly("/mnt/l2", "/dev/sd2");
  mounts.removeReadWrite("/mnt/rw", "/dev/sdz", true);
});

Deno.test("guest:E11 paths of overlays are compared clean", () => {
  const mounts = withLayers();
  for (const [add, remove] of [["/c/./r", "/c/r"], ["/c/r", "/c/./r"]]) {
    mounts.addOverlay(add!, layers, "");
    refused(() => mounts.addOverlay(remove!, layers, ""), "/c/r");
    mounts.removeOverlay(remove!);
    assert(!mounts.has("/c/r"));
  }
});

Deno.test("an add that is taken back leaves nothing, a refused one changes nothing", () => {
  const mounts = withLayers();
  mounts.addOverlay("/c/r", [...layers, "/in/no/device"], "")();
  assert(!mounts.has("/c/r"));
  refused(() => mounts.addOverlay("/mnt/l1", layers, ""), "/mnt/l1");
  for (const i of [0, 1, 2]) {
    mounts.removeReadOnly(`/mnt/l${i}`, `/dev/sd${i}`)();
    mounts.removeReadOnly(`/mnt/l${i}`, `/dev/sd${i}`);
  }
});
