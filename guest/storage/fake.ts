/**
 * Storage in memory, for tests.
 *
 * @module
 */

import { type Clock, FakeClock } from "../../base/clock.ts";
import { silentLogger as log } from "../../base/log.ts";
import { openDoor } from "../policy/enforcers.ts";
import type { PolicyEnforcer } from "../policy/questions.ts";
import { Confidential } from "./confidential.ts";
import type { OverlayPorts } from "./overlay.ts";
import { PciDevices } from "./pci.ts";
import { Plan9Mounts } from "./plan9.ts";
import { PmemMounts } from "./pmem.ts";
import { ScsiMounts } from "./scsi.ts";
import { ScsiDevices } from "./scsi_device.ts";
import { GuestStorage } from "./storage.ts";

/** A VM whose mounts are recorded; the next call of a kind can be made to fail. */
export interface FakeStorage {
  /** Over ports that record. */
  readonly storage: GuestStorage;
  /** Its guard of confidential mounts. */
  readonly confidential: Confidential;
  /** What was done, for example `mount /dev/sd1 /a`. */
  readonly calls: string[];
  /** Kinds of calls that fail. */
  readonly failing: Set<"mount" | "unmount">;
}

/**
 * A storage whose disks and shares are always there; only what is unplugged is not.
 *
 * @param policy Is asked before everything.
 * @param clock Time of its waits.
 */
export function fakeStorage(
  policy: PolicyEnforcer = openDoor,
  clock: Clock = new FakeClock(),
): FakeStorage {
  const calls: string[] = [];
  const failing: FakeStorage["failing"] = new Set();
  const note = (kind: string, text = ""): Promise<void> => {
    const failed = [...failing].find((name) => name === kind);
    if (failed !== undefined) return Promise.reject(new Error(`no ${failed}`));
    return Promise.resolve(void calls.push(`${kind} ${text}`.trim()));
  };
  const info = {
    ...{ hashType: 1, blockSize: 4096, dataBlocks: 1n },
    ...{ algorithm: "sha256", rootDigest: "d", salt: "" },
  };
  const common = {
    mount: ({ source, target }: { source: string; target: string }) =>
      note("mount", `${source} ${target}`),
    unmount: (target: string) => note("unmount", target),
    undoMount: (target: string) => note("undo", target),
    makeFolder: () => Promise.resolve(true),
    removeFolder: () => Promise.resolve(),
    verity: () => Promise.resolve(info),
    mapper: {
      create: (name: string) => Promise.resolve(`/dev/mapper/${name}`),
      remove: () => Promise.resolve(),
    },
  };
  const scsi = new ScsiMounts({
    clock,
    log,
    ports: {
      ...common,
      find: ({ lun }) =>
        Promise.resolve({ node: `/dev/sd${lun}`, controller: 0 }),
      bind: () => Promise.resolve(),
      isDirectory: () => Promise.resolve(false),
      probe: () => Promise.resolve("ext4"),
      crypt: {
        open: (_source, name) => Promise.resolve(`/dev/mapper/${name}`),
        close: () => Promise.resolve(),
      },
      run: () => Promise.resolve(),
    },
  });
  const pmem = new PmemMounts({
    log,
    ports: { ...common, waitForNode: () => Promise.resolve() },
  });
  const plan9 = new Plan9Mounts({
    ...{ clock, log, timeout: 1000 },
    ports: {
      ...common,
      dial: () => Promise.resolve(7),
      setBuffers: () => {},
      shutdown: () => {},
      detach: () => Promise.resolve(),
      close: () => {},
    },
  });
  const overlay: OverlayPorts = {
    ...common,
    bind: (source, target) => note("bind", `${source} ${target}`),
    free: () => Promise.resolve({ bytes: 0, inodes: 0 }),
  };
  const confidential = new Confidential();
  const storage = new GuestStorage({
    ...{ scsi, pmem, plan9, overlay, confidential, log, policy },
    scsiDevices: new ScsiDevices(clock, 100, { sys: "/none", dev: "/none" }),
    pci: new PciDevices(clock, 100, "/none"),
  });
  return { storage, confidential, calls, failing };
}
