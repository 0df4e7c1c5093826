/**
 * The group of all virtual machines in the access list of a file. The account of a
 * virtual machine's worker process is a member: without an entry it cannot open a
 * file that is only for administrators.
 *
 * @module
 */

import { type Advapi32Symbols, explicitAccess } from "../library/advapi32.ts";
import type { Kernel32Symbols } from "../library/kernel32.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import { win32Error } from "../library/win32_error.ts";

/** The DLLs that access lists need. */
export interface AccessListLibraries {
  /** Frees what the other one allocates. */
  readonly kernel32: Pick<Kernel32Symbols, "GetLastError" | "LocalFree">;
  /** Reads, makes and writes access lists. */
  readonly advapi32: Pick<
    Advapi32Symbols,
    | "ConvertStringSidToSidW"
    | "GetNamedSecurityInfoW"
    | "SetEntriesInAclW"
    | "SetNamedSecurityInfoW"
  >;
}

/** `NT VIRTUAL MACHINE\Virtual Machines`. */
const vmGroup = "S-1-5-83-0";

/** `SE_FILE_OBJECT` of accctrl.h. */
const fileObject = 1;

/** `DACL_SECURITY_INFORMATION` of winnt.h. */
const accessList = 4;

/** `GENERIC_ALL` of winnt.h. */
const genericAll = 0x1000_0000;

/**
 * `SET_ACCESS` of accctrl.h: takes the place of the entries that the trustee has.
 * With `GRANT_ACCESS`, Wine leaves them beside the new one.
 */
const setAccess = 2;

/** `TRUSTEE_IS_SID` of accctrl.h. */
const trusteeIsSid = 0;

/** `TRUSTEE_IS_WELL_KNOWN_GROUP` of accctrl.h. */
const wellKnownGroup = 5;

/**
 * Lets every virtual machine of this host do everything with a file. Other entries
 * of its access list stay; after a second call it is as after the first. A file
 * without an access list stays without: everybody may do everything with it.
 *
 * @throws {HResultError} NotFound class when there is no such file; what else the
 *   system answered.
 */
export function grantVmGroup(
  { kernel32, advapi32 }: AccessListLibraries,
  path: string,
): void {
  using memory = new DisposableStack();
  /** An out-parameter; what it then points to is freed at the end. */
  const allocated = (): BigUint64Array<ArrayBuffer> =>
    memory.adopt(new BigUint64Array(1), ([address = 0n]) => {
      if (address !== 0n) kernel32.LocalFree(address);
    });
  const refusal = (code: number, what: string): Error =>
    win32Error(code, `Cannot ${what} the access list of "${path}"`);
  const name = encodeUtf16(path);
  const old = new BigUint64Array(1);
  const readCode = advapi32.GetNamedSecurityInfoW(
    name,
    fileObject,
    accessList,
    null,
    null,
    old, // Within the descriptor, and freed with it.
    null,
    allocated(),
  );
  if (readCode !== 0) throw refusal(readCode, "read");
  if (old[0] === 0n) return;
  const addition = `add ${vmGroup} to`;
  const sid = allocated();
  if (advapi32.ConvertStringSidToSidW(encodeUtf16(vmGroup), sid) === 0) {
    throw refusal(kernel32.GetLastError(), addition);
  }
  const list = allocated();
  const entry = everythingFor(sid[0]!);
  const addCode = advapi32.SetEntriesInAclW(1, entry, old[0]!, list);
  if (addCode !== 0) throw refusal(addCode, addition);
  const writeCode = advapi32.SetNamedSecurityInfoW(
    name,
    fileObject,
    accessList,
    0n,
    0n,
    list[0]!,
    0n,
  );
  if (writeCode !== 0) throw refusal(writeCode, "write");
}

/** An entry that allows everything. @param sid Address of the SID of the trustee. */
function everythingFor(sid: bigint): DataView<ArrayBuffer> {
  const entry = new DataView(new ArrayBuffer(explicitAccess.size));
  entry.setUint32(explicitAccess.permissions, genericAll, true);
  entry.setUint32(explicitAccess.mode, setAccess, true);
  entry.setUint32(explicitAccess.trusteeForm, trusteeIsSid, true);
  entry.setUint32(explicitAccess.trusteeType, wellKnownGroup, true);
  entry.setBigUint64(explicitAccess.trusteeName, sid, true);
  return entry;
}
