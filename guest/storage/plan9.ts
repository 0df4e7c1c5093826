/**
 * Mounting directories of the host: 9p over a socket
 * (`spec/guest-runtime.md` 14.5).
 *
 * @module
 */

import { type Clock, deadline } from "../../base/clock.ts";
import { classify, messageOf, ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { MappedDirectory } from "../../bridge/messages.gen.ts";
import { isErrno } from "../../ffi/linux/errno.ts";
import { close } from "../../ffi/linux/files.ts";
import {
  MountFlag,
  type MountRequest,
  unmount,
} from "../../ffi/linux/mount.ts";
import { setSocketBuffers, shutdownSocket } from "../../ffi/linux/socket.ts";
import { Rollback } from "../rollback.ts";
import { kernelMounts, type MountPorts } from "./mount_ports.ts";
import { refuseLinks, requirePath } from "./paths.ts";

/** What mounting a share needs; tests replace single functions. */
export interface Plan9Ports extends MountPorts {
  /** Reaches a port of the host. The caller closes the descriptor. */
  readonly dial: (port: number, signal?: AbortSignal) => Promise<number>;
  /** Sets the buffers of a socket. */
  readonly setBuffers: (fd: number, size: number) => void;
  /** Ends a socket for everybody who has it. */
  readonly shutdown: (fd: number) => void;
  /** Takes a mount whose server is gone out of the tree. */
  readonly detach: (target: string) => Promise<unknown>;
  /** Closes a descriptor. */
  readonly close: (fd: number) => void;
}

/** The kernel and a way to the host. */
export function plan9Ports(dial: Plan9Ports["dial"], log: Logger): Plan9Ports {
  return {
    dial,
    setBuffers: setSocketBuffers,
    shutdown: shutdownSocket,
    // Nothing may look at such a mount: even its root cannot be read.
    detach: (target) => unmount(target, { detach: true }),
    close,
    ...kernelMounts(log),
  };
}

/** What a look at a share gives when its server is gone. */
const lostServer = ["EIO", "EPIPE", "ECONNRESET"];

/** Bytes of a 9p message, and of the socket's buffers. */
const messageSize = 65536;

/**
 * Options of the mount (kernel: `filesystems/9p`). The kernel takes the
 * descriptor over for as long as the mount stands. `noload` is what REF sends
 * with a read-only share; it means nothing to 9p.
 */
export function plan9Options(
  fd: number,
  share: string,
  readOnly: boolean,
): string {
  return [
    "trans=fd",
    `rfdno=${fd}`,
    `wfdno=${fd}`,
    `msize=${messageSize}`,
    ...(readOnly ? ["noload"] : []),
    ...(share === "" ? [] : [`aname=${share}`]),
  ].join(",");
}

/** Mounts and unmounts shares of the host. */
export class Plan9Mounts {
  readonly #ports: Plan9Ports;
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #log: Logger;

  /** @param options Ports, time, milliseconds of a mount, log. */
  constructor(
    options: {
      readonly ports: Plan9Ports;
      readonly clock: Clock;
      readonly timeout: number;
      readonly log: Logger;
    },
  ) {
    this.#ports = options.ports;
    this.#clock = options.clock;
    this.#timeout = options.timeout;
    this.#log = options.log;
  }

  /**
   * Mounts a share.
   *
   * @throws {ShimError} InvalidArgument for settings that are not right; the
   * first failure. Nothing stays behind.
   */
  async add(share: MappedDirectory, signal?: AbortSignal): Promise<void> {
    const target = requirePath(share.MountPath ?? "", "MountPath");
    const { Port: port = 0, ShareName: name = "", ReadOnly = false } = share;
    const refuse = (reason: string): never => {
      const message = `Cannot mount a share at "${target}": ${reason}`;
      throw new ShimError("InvalidArgument", message);
    };
    if (port <= 0) refuse(`${port} is no port`);
    // A comma would begin a further option.
    if (/[,\0]/.test(name)) {
      refuse(`invalid share name ${JSON.stringify(name)}`);
    }
    await refuseLinks(target);
    const { makeFolder, removeFolder } = this.#ports;
    const rollback = new Rollback(this.#log);
    if (await makeFolder(target, 0o700)) {
      rollback.add(`folder ${target}`, () => removeFolder(target));
    }
    try {
      const fd = await this.#dial(port, target, signal);
      try {
        this.#ports.setBuffers(fd, messageSize);
        const flags = ReadOnly ? MountFlag.ReadOnly : 0n;
        const data = plan9Options(fd, name, ReadOnly);
        const request = { source: target, target, type: "9p", flags, data };
        await this.#mount(fd, { ...request, once: true }, signal);
      } finally {
        this.#ports.close(fd);
      }
    } catch (error) {
      await rollback.run();
      throw error;
    }
  }

  /**
   * The kernel speaks with the server while it mounts. A server that is silent
   * loses its connection, which ends the call.
   */
  async #mount(
    fd: number,
    request: MountRequest,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { mount, shutdown, detach } = this.#ports;
    const mounting = mount(request);
    const what = `Mounting a share at "${request.target}"`;
    try {
      await deadline(
        this.#clock,
        this.#timeout,
        what,
        () => mounting,
        signal,
      );
    } catch (error) {
      shutdown(fd);
      // It may have been mounted at the last moment.
      const mounted = await mounting.then(() => true, () => false);
      if (mounted) await detach(request.target).catch(() => {});
      throw error; // the first one
    }
  }

  async #dial(
    port: number,
    target: string,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    try {
      return await this.#ports.dial(port, signal);
    } catch (cause) {
      throw new ShimError(
        classify(cause),
        `Cannot reach the server of share "${target}" at port ${port}: ` +
          messageOf(cause),
        { cause },
      );
    }
  }

  /**
   * Unmounts a share. One that was never mounted is a success, and so is one
   * whose server is gone, although nothing of it can be looked at.
   */
  async remove({ MountPath = "" }: MappedDirectory): Promise<void> {
    const target = requirePath(MountPath, "MountPath");
    const { unmount, detach, removeFolder } = this.#ports;
    try {
      await unmount(target);
    } catch (error) {
      if (!isErrno(error, ...lostServer)) throw error;
      await detach(target);
    }
    await removeFolder(target);
  }
}
