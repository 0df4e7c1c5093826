/**
 * Mounting persistent memory devices, which carry layers
 * (`spec/guest-runtime.md` 14.7).
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { VPMemDevice } from "../../bridge/messages.gen.ts";
import type { MapperTarget } from "../../ffi/linux/device_mapper.ts";
import { MountFlag } from "../../ffi/linux/mount.ts";
import { Rollback } from "../rollback.ts";
import {
  type DeviceMapper,
  linearTarget,
  verityTarget,
} from "./device_mapper.ts";
import { DevicesBelow } from "./devices_below.ts";
import { kernelMounts, type MountPorts } from "./mount_ports.ts";
import { refuseLinks, requirePath } from "./paths.ts";
import type { MountOptions } from "./scsi.ts";
import { readVerity } from "./verity.ts";

/** What mounting such a device needs; tests replace single functions. */
export interface PmemPorts extends MountPorts {
  /** Waits until a node opens. */
  readonly waitForNode: (node: string, signal?: AbortSignal) => Promise<void>;
  /** How a device is verified. */
  readonly verity: typeof readVerity;
  /** Makes and removes mapped devices. */
  readonly mapper: Pick<DeviceMapper, "create" | "remove">;
}

/** The kernel and the services given. */
export function pmemPorts(
  services: Pick<PmemPorts, "waitForNode" | "mapper">,
  log: Logger,
): PmemPorts {
  return {
    ...services,
    ...kernelMounts(log),
    verity: readVerity,
  };
}

/** Bytes of a sector. */
const sector = 512n;

/** Path of a device. */
export function pmemNode({ DeviceNumber = 0 }: VPMemDevice): string {
  return `/dev/pmem${DeviceNumber}`;
}

/** The part of a device that a layer takes, in bytes; undefined for all. */
function partOf(
  device: VPMemDevice,
): { readonly offset: bigint; readonly size: bigint } | undefined {
  const { MappingInfo } = device;
  if (MappingInfo === undefined) return undefined;
  const { DeviceOffsetInBytes: offset = 0n, DeviceSizeInBytes: size = 0n } =
    MappingInfo;
  if (size > 0n && size % sector === 0n && offset % sector === 0n) {
    return { offset, size };
  }
  throw new ShimError(
    "InvalidArgument",
    `Cannot map ${size} bytes at ${offset} of "${pmemNode(device)}": both ` +
      `must be multiples of ${sector}, and the size not 0`,
  );
}

/** Mounts and unmounts persistent memory devices. */
export class PmemMounts {
  readonly #ports: PmemPorts;
  readonly #log: Logger;
  readonly #below = new DevicesBelow();

  /** @param options Ports and log. */
  constructor(options: { readonly ports: PmemPorts; readonly log: Logger }) {
    this.#ports = options.ports;
    this.#log = options.log;
  }

  /**
   * Mounts a device or a part of it, read-only. It is waited for, because the
   * kernel makes its node in its own time. (REF does not wait.)
   *
   * @throws {ShimError} The first failure; nothing stays behind.
   */
  async add(
    device: VPMemDevice,
    { verify, signal }: MountOptions = {},
  ): Promise<void> {
    const target = requirePath(device.MountPath ?? "", "MountPath");
    const part = partOf(device);
    await refuseLinks(target);
    const { DeviceNumber: number = 0 } = device;
    let source = pmemNode(device);
    await this.#ports.waitForNode(source, signal);
    const rollback = new Rollback(this.#log);
    const devices: (() => Promise<void>)[] = [];
    const stack = async (
      name: string,
      entry: MapperTarget,
    ): Promise<void> => {
      const options = { readOnly: true, signal };
      source = await this.#ports.mapper.create(name, [entry], options);
      const remove = (): Promise<void> => this.#removeDevice(name);
      rollback.add(`device ${name}`, remove);
      devices.push(remove);
    };
    try {
      if (part !== undefined) {
        const { offset, size } = part;
        const name = `dm-linear-pmem${number}-${offset}-${size}`;
        await stack(name, linearTarget(source, offset, size));
      }
      if (verify !== undefined) {
        const info = await this.#ports.verity(source);
        await verify(info.rootDigest);
        const name = `dm-verity-pmem${number}-${info.rootDigest}`;
        await stack(name, verityTarget(source, info));
      }
      if (await this.#ports.makeFolder(target, 0o700)) {
        const { removeFolder } = this.#ports;
        rollback.add(`folder ${target}`, () => removeFolder(target));
      }
      await this.#ports.mount({
        source,
        target,
        type: "ext4",
        flags: MountFlag.ReadOnly,
        data: "noload", // the journal of a read-only ext4 is not replayed
      });
      this.#below.add(target, devices);
    } catch (error) {
      await rollback.run();
      throw error;
    }
  }

  /** A device that cannot be removed fails nothing: its mount is gone. */
  async #removeDevice(name: string): Promise<void> {
    try {
      await this.#ports.mapper.remove(name);
    } catch (error) {
      this.#log.warn("Mapped device is left", {
        name,
        error: messageOf(error),
      });
    }
  }

  /** Unmounts a device. One that was never mounted is a success. */
  async remove(device: VPMemDevice): Promise<void> {
    const target = requirePath(device.MountPath ?? "", "MountPath");
    await this.#ports.unmount(target);
    await this.#ports.removeFolder(target);
    await this.#below.release(target);
  }
}
