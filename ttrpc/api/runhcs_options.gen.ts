/**
 * Runtime options of this family of shims. Generated from
 * `schema/proto/containerd/runhcs/v1/runhcs.proto` by `deno task codegen`; do
 * not edit.
 *
 * @module
 */

import { Timestamp } from "./any.gen.ts";
import { message, type MessageType } from "../message.ts";
import {
  readMessage,
  readStringEntry,
  readUint64,
  skipField,
  writeInt64,
  writeMessage,
  writeStringMap,
} from "../wire.ts";

/** Where debug output goes. */
export const OptionsDebugType = {
  NPIPE: 0,
  FILE: 1,
  ETW: 2,
} as const;

/** Where debug output goes. Unknown numbers are kept. */
export type OptionsDebugType = number;

/** How containers are isolated. */
export const OptionsSandboxIsolation = {
  PROCESS: 0,
  HYPERVISOR: 1,
} as const;

/** How containers are isolated. Unknown numbers are kept. */
export type OptionsSandboxIsolation = number;

/** Runtime options of this family of shims. */
export interface Options {
  debug: boolean;
  debugType: OptionsDebugType;
  registryRoot: string;
  sandboxImage: string;
  /** `linux/amd64` or `linux/arm64`. */
  sandboxPlatform: string;
  sandboxIsolation: OptionsSandboxIsolation;
  /** Directory with kernel and root file system of the VM. */
  bootFilesRootPath: string;
  /** 0 is the default. */
  vmProcessorCount: number;
  /** 0 is the default. */
  vmMemorySizeInMb: number;
  GPUVHDPath: string;
  scaleCpuLimitsToSandbox: boolean;
  defaultContainerScratchSizeInGb: number;
  defaultVmScratchSizeInGb: number;
  shareScratch: boolean;
  NCProxyAddr: string;
  logLevel: string;
  ioRetryTimeoutInSec: number;
  defaultContainerAnnotations: Record<string, string>;
  noInheritHostTimezone: boolean;
  /** Absent leaves the default of the guest. */
  scrubLogs?: boolean;
}

/** Codec of {@linkcode Options}. */
export const Options: MessageType<Options> = message(
  "containerd.runhcs.v1.Options",
  {
    write(value, writer) {
      if (value.debug) writer.uint32(8).bool(value.debug);
      if (value.debugType) writer.uint32(16).int32(value.debugType);
      if (value.registryRoot) writer.uint32(26).string(value.registryRoot);
      if (value.sandboxImage) writer.uint32(34).string(value.sandboxImage);
      if (value.sandboxPlatform) {
        writer.uint32(42).string(value.sandboxPlatform);
      }
      if (value.sandboxIsolation) {
        writer.uint32(48).int32(value.sandboxIsolation);
      }
      if (value.bootFilesRootPath) {
        writer.uint32(58).string(
          value.bootFilesRootPath,
        );
      }
      if (value.vmProcessorCount) {
        writer.uint32(64).int32(value.vmProcessorCount);
      }
      if (value.vmMemorySizeInMb) {
        writer.uint32(72).int32(value.vmMemorySizeInMb);
      }
      if (value.GPUVHDPath) writer.uint32(82).string(value.GPUVHDPath);
      if (value.scaleCpuLimitsToSandbox) {
        writer.uint32(88).bool(
          value.scaleCpuLimitsToSandbox,
        );
      }
      if (value.defaultContainerScratchSizeInGb) {
        writer.uint32(96).int32(
          value.defaultContainerScratchSizeInGb,
        );
      }
      if (value.defaultVmScratchSizeInGb) {
        writer.uint32(104).int32(
          value.defaultVmScratchSizeInGb,
        );
      }
      if (value.shareScratch) writer.uint32(112).bool(value.shareScratch);
      if (value.NCProxyAddr) writer.uint32(122).string(value.NCProxyAddr);
      if (value.logLevel) writer.uint32(130).string(value.logLevel);
      if (value.ioRetryTimeoutInSec) {
        writer.uint32(136).int32(
          value.ioRetryTimeoutInSec,
        );
      }
      writeStringMap(writer, 146, value.defaultContainerAnnotations);
      if (value.noInheritHostTimezone) {
        writer.uint32(152).bool(
          value.noInheritHostTimezone,
        );
      }
      if (value.scrubLogs !== undefined) {
        writer.uint32(160).bool(value.scrubLogs);
      }
    },
    read(reader) {
      const value: Options = {
        debug: false,
        debugType: 0,
        registryRoot: "",
        sandboxImage: "",
        sandboxPlatform: "",
        sandboxIsolation: 0,
        bootFilesRootPath: "",
        vmProcessorCount: 0,
        vmMemorySizeInMb: 0,
        GPUVHDPath: "",
        scaleCpuLimitsToSandbox: false,
        defaultContainerScratchSizeInGb: 0,
        defaultVmScratchSizeInGb: 0,
        shareScratch: false,
        NCProxyAddr: "",
        logLevel: "",
        ioRetryTimeoutInSec: 0,
        defaultContainerAnnotations: {},
        noInheritHostTimezone: false,
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.debug = reader.bool();
            break;
          case 16:
            value.debugType = reader.int32();
            break;
          case 26:
            value.registryRoot = reader.string();
            break;
          case 34:
            value.sandboxImage = reader.string();
            break;
          case 42:
            value.sandboxPlatform = reader.string();
            break;
          case 48:
            value.sandboxIsolation = reader.int32();
            break;
          case 58:
            value.bootFilesRootPath = reader.string();
            break;
          case 64:
            value.vmProcessorCount = reader.int32();
            break;
          case 72:
            value.vmMemorySizeInMb = reader.int32();
            break;
          case 82:
            value.GPUVHDPath = reader.string();
            break;
          case 88:
            value.scaleCpuLimitsToSandbox = reader.bool();
            break;
          case 96:
            value.defaultContainerScratchSizeInGb = reader.int32();
            break;
          case 104:
            value.defaultVmScratchSizeInGb = reader.int32();
            break;
          case 112:
            value.shareScratch = reader.bool();
            break;
          case 122:
            value.NCProxyAddr = reader.string();
            break;
          case 130:
            value.logLevel = reader.string();
            break;
          case 136:
            value.ioRetryTimeoutInSec = reader.int32();
            break;
          case 146:
            readStringEntry(reader, value.defaultContainerAnnotations);
            break;
          case 152:
            value.noInheritHostTimezone = reader.bool();
            break;
          case 160:
            value.scrubLogs = reader.bool();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** A process in `ProcessInfo.info`. */
export interface ProcessDetails {
  imageName: string;
  createdAt?: Timestamp;
  /** In units of 100 ns. */
  kernelTime100Ns: bigint;
  memoryCommitBytes: bigint;
  memoryWorkingSetPrivateBytes: bigint;
  memoryWorkingSetSharedBytes: bigint;
  processId: number;
  /** In units of 100 ns. */
  userTime100Ns: bigint;
  execId: string;
}

/** Codec of {@linkcode ProcessDetails}. */
export const ProcessDetails: MessageType<ProcessDetails> = message(
  "containerd.runhcs.v1.ProcessDetails",
  {
    write(value, writer) {
      if (value.imageName) writer.uint32(10).string(value.imageName);
      if (value.createdAt) writeMessage(writer, 18, Timestamp, value.createdAt);
      if (value.kernelTime100Ns) {
        writeInt64(
          writer.uint32(24),
          value.kernelTime100Ns,
        );
      }
      if (value.memoryCommitBytes) {
        writeInt64(
          writer.uint32(32),
          value.memoryCommitBytes,
        );
      }
      if (value.memoryWorkingSetPrivateBytes) {
        writeInt64(
          writer.uint32(40),
          value.memoryWorkingSetPrivateBytes,
        );
      }
      if (value.memoryWorkingSetSharedBytes) {
        writeInt64(
          writer.uint32(48),
          value.memoryWorkingSetSharedBytes,
        );
      }
      if (value.processId) writer.uint32(56).uint32(value.processId);
      if (value.userTime100Ns) {
        writeInt64(writer.uint32(64), value.userTime100Ns);
      }
      if (value.execId) writer.uint32(74).string(value.execId);
    },
    read(reader) {
      const value: ProcessDetails = {
        imageName: "",
        kernelTime100Ns: 0n,
        memoryCommitBytes: 0n,
        memoryWorkingSetPrivateBytes: 0n,
        memoryWorkingSetSharedBytes: 0n,
        processId: 0,
        userTime100Ns: 0n,
        execId: "",
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.imageName = reader.string();
            break;
          case 18:
            value.createdAt = readMessage(reader, Timestamp);
            break;
          case 24:
            value.kernelTime100Ns = readUint64(reader);
            break;
          case 32:
            value.memoryCommitBytes = readUint64(reader);
            break;
          case 40:
            value.memoryWorkingSetPrivateBytes = readUint64(reader);
            break;
          case 48:
            value.memoryWorkingSetSharedBytes = readUint64(reader);
            break;
          case 56:
            value.processId = reader.uint32();
            break;
          case 64:
            value.userTime100Ns = readUint64(reader);
            break;
          case 74:
            value.execId = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);
