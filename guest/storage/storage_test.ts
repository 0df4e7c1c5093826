import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ErrorCode, ShimError } from "../../base/errors.ts";
import type { Question } from "../policy/questions.ts";
import { TableEnforcer } from "../policy/table_enforcer.ts";
import { fakeStorage } from "./fake.ts";
import type { GuestStorage, RootUsers } from "./storage.ts";

const { signal } = new AbortController();

async function refused(
  call: () => Promise<unknown>,
  code: ErrorCode,
  message = "",
): Promise<void> {
  const error = await assertRejects(call, ShimError, message);
  assertEquals(error.code, code);
}

const MountPath = "/no/such/disk";
const layer = { MountPath, Lun: 1, ReadOnly: true, Options: ["ro"] };
const verified = "/dev/mapper/dm-verity-scsi-contr0-lun1-p0-d";

/** A place that a confidential VM demands to exist. */
async function withPlace(test: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await test(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("a VM that is not confidential records nothing and checks no hashes", async () => {
  const { storage, calls } = fakeStorage();
  for (let i = 0; i < 2; i++) await storage.addDisk(layer, signal);
  await storage.removeDisk(layer, signal);
  const mount = `mount /dev/sd1 ${MountPath}`;
  assertEquals(calls, [mount, mount, `unmount ${MountPath}`]);
});

Deno.test("a confidential VM verifies read-only disks, and mounts one disk at a path", async () => {
  const { storage, confidential, calls, failing } = fakeStorage();
  confidential.start();
  failing.add("mount");
  await assertRejects(() => storage.addDisk(layer, signal), Error, "no mount");
  failing.clear();
  // The failed mount was taken back from the record.
  await storage.addDisk(layer, signal);
  assertEquals(calls, [`mount ${verified} ${MountPath}`]);
  await refused(
    () => storage.addDisk({ ...layer, Lun: 2 }, signal),
    "AlreadyExists",
    MountPath,
  );
  assertEquals(calls.length, 1);
});

Deno.test("a confidential VM unmounts what it recorded, by what it recorded", () =>
  withPlace(async (place) => {
    const { storage, confidential, calls } = fakeStorage();
    confidential.start();
    const scratch = {
      MountPath: place,
      Encrypted: true,
      EnsureFilesystem: true,
      Filesystem: "xfs",
    };
    // Not the host's: it stays.
    await storage.removeDisk(scratch, signal);
    assertEquals(calls, []);
    await storage.addDisk(scratch, signal);
    assert(confidential.isEncrypted(`${place}/upper`));
    for (
      const other of [{ Lun: 2 }, { Encrypted: false }, { ReadOnly: true }]
    ) {
      await refused(
        () => storage.removeDisk({ ...scratch, ...other }, signal),
        "FailedPrecondition",
        place,
      );
    }
    calls.length = 0;
    await storage.removeDisk(scratch, signal);
    assertEquals(calls, [`unmount ${place}`]);
    assert(!confidential.isEncrypted(place));
    await refused(
      () => storage.removeDisk({ ...scratch, MountPath: "/no/such" }, signal),
      "NotFound",
    );
  }));

Deno.test("a failed unmount of a confidential VM is the last change, and is told ever after", () =>
  withPlace(async (place) => {
    const { storage, confidential, calls, failing } = fakeStorage();
    const share = { MountPath: place, Port: 564, ShareName: "1" };
    failing.add("unmount");
    // Without a policy it is only this failure.
    await assertRejects(() => storage.removeShare(share), Error, "no unmount");
    failing.clear();
    confidential.start();
    await storage.addShare(share, signal);
    failing.add("unmount");
    await assertRejects(() => storage.removeShare(share), Error, "no unmount");
    failing.clear();
    calls.length = 0;
    const root = "/run/gcs/c/a/rootfs";
    const changes = [
      () => storage.addDisk(layer, signal),
      () => storage.removeDisk(layer, signal),
      () => storage.addShare(share, signal),
      () => storage.removeShare(share),
      () => storage.addPmem({ MountPath: place }, signal),
      () => storage.removePmem({ MountPath: place }),
      () => storage.combine({ ContainerRootPath: root }),
      () => storage.separate({ ContainerRootPath: root }, nobody),
    ];
    for (const change of changes) {
      await refused(change, "FailedPrecondition", "no unmount");
    }
    assertEquals(calls, []);
  }));

Deno.test("a confidential VM takes only disks, shares and memory that it can vouch for", async () => {
  const { storage, confidential, calls } = fakeStorage();
  confidential.start();
  const MappingInfo = { DeviceOffsetInBytes: 0n, DeviceSizeInBytes: 512n };
  const share = { MountPath, Port: 564 };
  const denied = [
    () => storage.addDisk({ ...layer, Options: [] }, signal),
    () => storage.addDisk({ ...layer, Options: ["ro", "shared"] }, signal),
    () => storage.addDisk({ ...layer, Filesystem: "xfs" }, signal),
    () => storage.addDisk({ MountPath, Options: ["rw"] }, signal),
    () => storage.addShare({ ...share, ShareName: "a" }, signal),
    () => storage.addShare({ ...share, ShareName: "" }, signal),
    () => storage.addPmem({ MountPath, MappingInfo }, signal),
  ];
  for (const call of denied) await refused(call, "PermissionDenied");
  assertEquals(calls, []);
  await storage.addPmem({ MountPath }, signal);
  const source = "/dev/mapper/dm-verity-pmem0-d";
  assertEquals(calls, [`mount ${source} ${MountPath}`]);
  await refused(() => storage.addPmem({ MountPath }, signal), "AlreadyExists");
});

const id = "c".repeat(64);
const sandbox = "5".repeat(64);
const combined = {
  ContainerID: id,
  ContainerRootPath: `/run/gcs/c/${id}/rootfs`,
  ScratchPath: `/run/gcs/c/${sandbox}/scratch/${id}`,
  Layers: [{ Path: MountPath }],
};

/** Nothing uses anything. */
const nobody = { runsOn: () => false, ownsBundle: () => false };

Deno.test("the bundle of layers goes with them, unless a container has it", async () => {
  const { storage, calls } = fakeStorage();
  const unmountRoot = `unmount ${combined.ContainerRootPath}`;
  const unmountBundle = `unmount /run/gcs/c/${id}`;
  const rows: [RootUsers, string[]][] = [
    [nobody, [unmountRoot, unmountBundle]],
    [{ ...nobody, ownsBundle: () => true }, [unmountRoot]],
  ];
  for (const [users, expected] of rows) {
    await storage.combine(combined);
    calls.length = 0;
    await storage.separate(combined, users);
    assertEquals(calls, expected);
    calls.length = 0;
    // What was not bound here is not taken away.
    await storage.separate(combined, nobody);
    assertEquals(calls, [unmountRoot]);
  }
});

Deno.test("a confidential VM combines layers where it expects them, and keeps them while they are used", async () => {
  const { storage, confidential, calls, failing } = fakeStorage();
  confidential.start();
  const noId = [
    { ContainerID: "" },
    { ContainerID: "other" },
    { ContainerID: "..", ContainerRootPath: "/run/gcs/c/rootfs" },
  ];
  for (const settings of noId) {
    await refused(
      () => storage.combine({ ...combined, ...settings }),
      "InvalidArgument",
      "invalid container id",
    );
  }
  const wrong = [
    { ContainerID: "d".repeat(64) },
    { ContainerRootPath: `/run/gcs/pods/${id}/${id}/rootfs` },
    { ScratchPath: `/run/gcs/c/${sandbox}/scratch/other` },
    { ScratchPath: `/run/gcs/c/sandbox/scratch/${id}` },
  ];
  for (const settings of wrong) {
    const call = (): Promise<void> =>
      storage.combine({ ...combined, ...settings });
    await refused(call, "PermissionDenied");
  }
  await storage.addDisk(layer, signal);
  failing.add("mount");
  await assertRejects(() => storage.combine(combined), Error, "no mount");
  failing.clear();
  calls.length = 0;
  await storage.combine(combined);
  const root = combined.ContainerRootPath;
  assertEquals(calls, [
    `bind ${combined.ScratchPath}/bundle /run/gcs/c/${id}`,
    `mount overlay ${root}`,
  ]);
  assert(confidential.hasOverlayAt(root));
  await refused(
    () =>
      storage.separate(combined, {
        ...nobody,
        runsOn: (path) => path === root,
      }),
    "FailedPrecondition",
    "running container",
  );
  assert(confidential.hasOverlayAt(root));
  calls.length = 0;
  await storage.separate(combined, nobody);
  assertEquals(calls, [`unmount ${root}`, `unmount /run/gcs/c/${id}`]);
  assert(!confidential.hasOverlayAt(root));
});

Deno.test("a mount that the policy denies is not done, and not recorded", () =>
  withPlace(async (place) => {
    const scratch = { MountPath: place, Encrypted: true, Filesystem: "xfs" };
    const share = { MountPath: place, Port: 564, ShareName: "1" };
    const disk = { ...layer, MountPath: place };
    const rows: [
      Question,
      (storage: GuestStorage) => Promise<void>,
      before?: (storage: GuestStorage) => Promise<void>,
    ][] = [
      [
        { name: "device mount", path: place, rootHash: "d" },
        (storage) => storage.addDisk(disk, signal),
      ],
      [
        { name: "device unmount", path: place },
        (storage) => storage.removeDisk(disk, signal),
        (storage) => storage.addDisk(disk, signal),
      ],
      [
        {
          name: "read-write device mount",
          path: place,
          encrypted: true,
          ensureFilesystem: false,
          filesystem: "xfs",
        },
        (storage) => storage.addDisk(scratch, signal),
      ],
      [
        { name: "read-write device unmount", path: place },
        (storage) => storage.removeDisk(scratch, signal),
        (storage) => storage.addDisk(scratch, signal),
      ],
      [
        { name: "block device mount", path: place },
        (storage) => storage.addDisk({ ...disk, BlockDev: true }, signal),
      ],
      [
        { name: "block device unmount", path: place },
        (storage) => storage.removeDisk({ ...disk, BlockDev: true }, signal),
      ],
      [
        { name: "device mount", path: place, rootHash: "d" },
        (storage) => storage.addPmem({ MountPath: place }, signal),
      ],
      [
        { name: "device unmount", path: place },
        (storage) => storage.removePmem({ MountPath: place }),
        (storage) => storage.addPmem({ MountPath: place }, signal),
      ],
      [
        { name: "plan9 mount", path: place },
        (storage) => storage.addShare(share, signal),
      ],
      [
        { name: "plan9 unmount", path: place },
        (storage) => storage.removeShare(share),
      ],
      [
        {
          name: "scratch mount",
          path: combined.ScratchPath,
          encrypted: true,
        },
        (storage) => storage.combine(combined),
        (storage) =>
          storage.addDisk({ ...scratch, MountPath: "/run/gcs" }, signal),
      ],
      [
        {
          name: "overlay mount",
          path: combined.ContainerRootPath,
          id,
          layers: [MountPath],
        },
        (storage) => storage.combine(combined),
      ],
      [
        { name: "overlay unmount", path: combined.ContainerRootPath },
        (storage) => storage.separate(combined, nobody),
        (storage) => storage.combine(combined),
      ],
    ];
    for (const [question, change, before] of rows) {
      const policy = new TableEnforcer();
      const { storage, confidential, calls } = fakeStorage(policy);
      confidential.start();
      await before?.(storage);
      calls.length = 0;
      policy.table = { [question.name]: "deny" };
      const message = `${question.name} denied due to policy`;
      await refused(() => change(storage), "PermissionDenied", message);
      assertEquals(policy.asked.at(-1), question);
      assertEquals(calls, []);
      // Neither was it recorded: it goes once it is allowed.
      policy.table = {};
      if (!question.name.startsWith("block")) await change(storage);
      confidential.requireConsistent("go on");
    }
  }));
