/**
 * Access lists of the pretended Windows, in Windows' own form (`ACL`, `ACE` and
 * `SID` of winnt.h).
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import type { Advapi32Symbols } from "../../windows/library/advapi32.ts";
import { readParameter, writeOut } from "../heap.ts";
import { CallFailure } from "./calls.ts";
import { FakeFile, type FakeFiles } from "./files.ts";
import type { FakeKernel } from "./kernel.ts";
import { type Address, bytesOf, viewOf } from "./memory.ts";

/** Codes of `winerror.h`. */
const invalidParameter = 87;
const insufficientBuffer = 122;
const invalidSid = 1337;

/** `OWNER_SECURITY_INFORMATION`. */
const ownerInformation = 1;

/** Bytes of `ACL`, of `ACCESS_ALLOWED_ACE` before its SID, and of `SID` before its parts. */
const listHeader = 8;
const entryHeader = 8;
const sidHeader = 8;

/** Bytes of a descriptor before its access list. */
const descriptorHeader = 20;

/** `EXPLICIT_ACCESS_W`. */
const explicitSize = 48;

/** `GRANT_ACCESS` and `SET_ACCESS`. */
const grantAccess = 1;
const setAccess = 2;

/** An entry that allows something. */
export interface AccessEntry {
  /** Text form of the SID of whom it is for. */
  readonly sid: string;
  /** `ACCESS_MASK`. */
  readonly access: number;
}

/** A SID of its text form. @throws {CallFailure} When it is none. */
function encodeSid(text: string): Uint8Array<ArrayBuffer> {
  if (!/^S-1(-\d+){2,16}$/.test(text)) throw new CallFailure(invalidSid);
  const [authority, ...parts] = text.split("-").slice(2).map(Number);
  const view = new DataView(new ArrayBuffer(sidHeader + 4 * parts.length));
  view.setUint8(0, 1);
  view.setUint8(1, parts.length);
  view.setUint32(4, authority!); // Six bytes, big endian; the first two are 0.
  parts.forEach((part, at) => view.setUint32(sidHeader + 4 * at, part, true));
  return new Uint8Array(view.buffer);
}

function decodeSid(view: DataView, at: number): string {
  const parts = Array.from(
    { length: view.getUint8(at + 1) },
    (_, index) => view.getUint32(at + sidHeader + 4 * index, true),
  );
  return ["S-1", view.getUint32(at + 4), ...parts].join("-");
}

/** An access list in memory. */
function encodeAccessList(
  entries: readonly AccessEntry[],
): Uint8Array<ArrayBuffer> {
  const sids = entries.map(({ sid }) => encodeSid(sid));
  const size = sids.reduce(
    (sum, sid) => sum + entryHeader + sid.length,
    listHeader,
  );
  const view = new DataView(new ArrayBuffer(size));
  view.setUint8(0, 2);
  view.setUint16(2, size, true);
  view.setUint16(4, entries.length, true);
  let at = listHeader;
  entries.forEach(({ access }, index) => {
    const sid = sids[index]!;
    view.setUint16(at + 2, entryHeader + sid.length, true);
    view.setUint32(at + 4, access, true);
    new Uint8Array(view.buffer).set(sid, at + entryHeader);
    at += entryHeader + sid.length;
  });
  return new Uint8Array(view.buffer);
}

/** The entries of an access list, which all allow something. */
function decodeAccessList(view: DataView): AccessEntry[] {
  const entries: AccessEntry[] = [];
  let at = listHeader;
  for (let left = view.getUint16(4, true); left > 0; left--) {
    const access = view.getUint32(at + 4, true);
    entries.push({ sid: decodeSid(view, at + entryHeader), access });
    at += view.getUint16(at + 2, true);
  }
  return entries;
}

/** Bytes of an access list of which this is the beginning. */
function accessListSize(header: DataView): number {
  return header.getUint16(2, true);
}

/** The entries of an access list of the real Windows. @param address It must live. */
export function foreignAccessList(address: bigint): AccessEntry[] {
  const pointer = Deno.UnsafePointer.create(address);
  if (pointer === null) {
    throw new ShimError("Internal", "There is no access list to read");
  }
  const bytes = (size: number): DataView =>
    new DataView(Deno.UnsafePointerView.getArrayBuffer(pointer, size));
  return decodeAccessList(bytes(accessListSize(bytes(listHeader))));
}

/** The symbols of `advapi32.dll` that read, make and write the access lists of files. */
export function accessListSymbols(
  { calls, memory, handles }: FakeKernel,
  files: FakeFiles,
): Pick<
  Advapi32Symbols,
  | "ConvertStringSidToSidW"
  | "GetKernelObjectSecurity"
  | "GetNamedSecurityInfoW"
  | "SetEntriesInAclW"
  | "SetNamedSecurityInfoW"
> {
  /** Makes a call that returns its Win32 code. */
  const coded = (symbol: string, body: () => void): number => {
    const isDone = calls.run(symbol, false, () => {
      body();
      return true;
    });
    return isDone ? 0 : calls.lastError;
  };
  const keep = (bytes: Uint8Array): bigint => {
    const address = memory.allocate(bytes.length, "LocalFree");
    memory.at("LocalFree", address, bytes.length).set(bytes);
    return address;
  };
  const listAt = (symbol: string, address: Address): AccessEntry[] => {
    const size = accessListSize(memory.viewAt(symbol, address, listHeader));
    return decodeAccessList(memory.viewAt(symbol, address, size));
  };
  /** Only the access lists of files are faked. */
  const wantAccessList = (type: number, information: number): void => {
    if (type !== 1 || information !== 4) {
      throw new CallFailure(invalidParameter);
    }
  };
  return {
    ConvertStringSidToSidW: (text, out) =>
      calls.run("ConvertStringSidToSidW", 0, () => {
        writeOut(out, keep(encodeSid(readParameter(text))));
        return 1;
      }),
    GetKernelObjectSecurity: (handle, information, descriptor, size, needed) =>
      calls.run("GetKernelObjectSecurity", 0, () => {
        const symbol = "GetKernelObjectSecurity";
        const { content } = handles.find(symbol, handle, FakeFile);
        const sid = encodeSid(content.owner);
        const length = descriptorHeader + sid.length;
        viewOf(needed).setUint32(0, length, true);
        if (information !== ownerInformation || size < length) {
          throw new CallFailure(insufficientBuffer);
        }
        const view = viewOf(descriptor);
        view.setUint32(4, descriptorHeader, true);
        bytesOf(descriptor).set(sid, descriptorHeader);
        return 1;
      }),
    GetNamedSecurityInfoW: (...parameters) =>
      coded("GetNamedSecurityInfoW", () => {
        const [name, type, information, , , list, , descriptor] = parameters;
        wantAccessList(type, information);
        const { access } = files.find(readParameter(name));
        const bytes = access === null
          ? new Uint8Array(0)
          : encodeAccessList(access);
        const whole = new Uint8Array(descriptorHeader + bytes.length);
        whole.set(bytes, descriptorHeader);
        const address = keep(whole);
        writeOut(descriptor, address);
        writeOut(
          list,
          access === null ? 0n : address + BigInt(descriptorHeader),
        );
      }),
    SetEntriesInAclW: (count, explicit, old, out) =>
      coded("SetEntriesInAclW", () => {
        const symbol = "SetEntriesInAclW";
        const view = viewOf(explicit);
        if (view.byteLength !== count * explicitSize) {
          throw new CallFailure(invalidParameter);
        }
        let entries = BigInt(old) === 0n ? [] : listAt(symbol, old);
        for (let at = 0; at < view.byteLength; at += explicitSize) {
          const mode = view.getUint32(at + 4, true);
          const isFaked = mode === grantAccess || mode === setAccess;
          // The trustee is a SID.
          if (!isFaked || view.getUint32(at + 28, true) !== 0) {
            throw new CallFailure(invalidParameter);
          }
          const address = view.getBigUint64(at + 40, true);
          const size = sidHeader +
            4 * memory.viewAt(symbol, address, 2).getUint8(1);
          const sid = decodeSid(memory.viewAt(symbol, address, size), 0);
          if (mode === setAccess) {
            entries = entries.filter((entry) => entry.sid !== sid);
          }
          entries = [{ sid, access: view.getUint32(at, true) }, ...entries];
        }
        writeOut(out, keep(encodeAccessList(entries)));
      }),
    SetNamedSecurityInfoW: (name, type, information, _owner, _group, list) =>
      coded("SetNamedSecurityInfoW", () => {
        wantAccessList(type, information);
        const file = files.find(readParameter(name));
        file.access = listAt("SetNamedSecurityInfoW", list);
      }),
  };
}
