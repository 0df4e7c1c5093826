/**
 * Encrypted disks with integrity: LUKS2 under a key that nobody keeps, because
 * what is on such a disk lives only as long as the VM
 * (`spec/guest-runtime.md` 14.3).
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { classify, messageOf, ShimError } from "../../base/errors.ts";
import { ProgramError, type RunProgram } from "../program.ts";
import { removeTree } from "./unmount.ts";
import { retry } from "../wait.ts";

/** Bytes of a key. */
const keySize = 1024;

/** Bytes that are overwritten at the start of a new device. */
const blockSize = 4096;

/** What encrypting needs; tests replace single functions. */
export interface CryptPorts {
  /** Runs `cryptsetup`. */
  readonly run: RunProgram;
  /** Makes a folder in memory. */
  readonly makeFolder: () => Promise<string>;
  /** Makes a key file of random bytes. */
  readonly makeKey: (path: string, size: number) => Promise<void>;
  /** Overwrites the first bytes of a device with zeros. */
  readonly clear: (device: string, size: number) => Promise<void>;
  /** Removes a tree. */
  readonly removeTree: (path: string) => Promise<void>;
}

/** The VM, with a runner of programs. */
export function cryptPorts(run: RunProgram): CryptPorts {
  return {
    run,
    makeFolder: () => Deno.makeTempDir({ prefix: "crypt-" }),
    makeKey: (path, size) =>
      Deno.writeFile(path, crypto.getRandomValues(new Uint8Array(size)), {
        createNew: true,
        mode: 0o600,
      }),
    async clear(device, size) {
      using file = await Deno.open(device, { write: true });
      const zeros = new Uint8Array(size);
      for (let at = 0; at < size;) at += await file.write(zeros.subarray(at));
      await file.sync();
    },
    removeTree,
  };
}

/** `strerror` of ENOENT, ENXIO and ENODEV: the disk is not ready. */
const transient =
  /No such file or directory|No such device or address|No such device/;

const isTransient = (error: unknown): boolean =>
  error instanceof ProgramError && transient.test(error.output);

const verbose = ["--debug", "-v"];

function formatArguments(source: string, key: string): string[] {
  return [
    ...[...verbose, "luksFormat", source],
    ...["--type", "luks2"],
    ...["--key-file", key],
    "--batch-mode",
    ...["--cipher", "aes-xts-plain64"],
    ...["--integrity", "hmac-sha256"],
    "--integrity-no-wipe",
    ...["--sector-size", "4096"],
    // The key is random: stretching it would only take time.
    ...["--pbkdf", "pbkdf2"],
    ...["--pbkdf-force-iterations", "1000"],
  ];
}

function openArguments(source: string, name: string, key: string): string[] {
  return [
    ...[...verbose, "luksOpen", source, name],
    ...["--key-file", key],
    "--integrity-no-journal",
    "--persistent",
  ];
}

/** Encrypts disks. */
export class Crypt {
  readonly #ports: CryptPorts;
  readonly #clock: Clock;
  readonly #timeout: number;

  /**
   * @param ports The VM.
   * @param clock Time.
   * @param timeout Milliseconds until a disk must be ready.
   */
  constructor(ports: CryptPorts, clock: Clock, timeout: number) {
    this.#ports = ports;
    this.#clock = clock;
    this.#timeout = timeout;
  }

  async #run(args: readonly string[], signal?: AbortSignal): Promise<void> {
    const { run } = this.#ports;
    const wait = { clock: this.#clock, timeout: this.#timeout, signal };
    await retry(() => run("cryptsetup", args, { signal }), isTransient, wait);
  }

  /**
   * Makes an encrypted device of a disk; what was on the disk is lost.
   *
   * REF closes by the path of the source when the last step fails, which closes
   * nothing; we close by the name.
   *
   * @param source The disk.
   * @param name Of the device.
   * @returns Path of the device.
   * @throws {ShimError} With the cause; nothing stays behind.
   */
  async open(
    source: string,
    name: string,
    signal?: AbortSignal,
  ): Promise<string> {
    const { makeFolder, makeKey, clear, removeTree } = this.#ports;
    const step = async (what: string, task: () => Promise<void>) => {
      try {
        await task();
      } catch (cause) {
        throw wrapped(`Cannot ${what} for disk "${source}"`, cause);
      }
    };
    const folder = await makeFolder();
    try {
      const key = `${folder}/keyfile`;
      const device = `/dev/mapper/${name}`;
      await step("make a key", () => makeKey(key, keySize));
      await step(
        "make an encrypted format",
        () => this.#run(formatArguments(source, key), signal),
      );
      try {
        await step(
          "open the encrypted device",
          () => this.#run(openArguments(source, name, key), signal),
        );
        // Never written sectors have no valid checksum; what looks for a file
        // system reads the first ones.
        await step("clear the first block", () => clear(device, blockSize));
      } catch (error) {
        // A refused open made no device: one of that name is somebody else's.
        const isRefused = error instanceof Error &&
          error.cause instanceof ProgramError;
        if (!isRefused) await this.close(name).catch(() => {});
        throw error;
      }
      return device;
    } finally {
      await removeTree(folder);
    }
  }

  /**
   * Closes an encrypted device.
   *
   * @throws {ShimError} With the cause, while it is in use.
   */
  async close(name: string): Promise<void> {
    try {
      await this.#run([...verbose, "luksClose", name]);
    } catch (cause) {
      throw wrapped(`Cannot close encrypted device "${name}"`, cause);
    }
  }
}

function wrapped(what: string, cause: unknown): ShimError {
  const message = `${what}: ${messageOf(cause)}`;
  return new ShimError(classify(cause), message, { cause });
}
