/**
 * Runs under Wine: lets virtual machines open a file, twice, writes to it, and
 * prints as one line of JSON which access lists were read and written.
 *
 * Usage: `vm_group_script.ts FILE`
 *
 * @module
 */

import {
  type AccessEntry,
  foreignAccessList,
} from "../../ffi/mock/windows/access_list.ts";
import { systemIoLibraries } from "../../ffi/windows/io/windows_io.ts";
import {
  type AccessListLibraries,
  grantVmGroup,
} from "../../ffi/windows/system/vm_group.ts";

const [file = ""] = Deno.args;
const { advapi32, kernel32 } = systemIoLibraries();

/** What `GetNamedSecurityInfoW` has read. */
const read: AccessEntry[][] = [];
/** What `SetNamedSecurityInfoW` has written. */
const written: AccessEntry[][] = [];
/** What `SetEntriesInAclW` makes of a list that has the entry already. */
const again: AccessEntry[][] = [];

const watched: AccessListLibraries["advapi32"] = {
  ...advapi32,
  GetNamedSecurityInfoW: (...parameters) => {
    const code = advapi32.GetNamedSecurityInfoW(...parameters);
    if (code === 0) {
      read.push(foreignAccessList((parameters[5] as BigUint64Array)[0]!));
    }
    return code;
  },
  SetEntriesInAclW: (count, entries, old, list) => {
    const code = advapi32.SetEntriesInAclW(count, entries, old, list);
    const [made] = list as BigUint64Array;
    const out = new BigUint64Array(1);
    advapi32.SetEntriesInAclW(count, entries, made!, out);
    again.push(foreignAccessList(out[0]!));
    kernel32.LocalFree(out[0]!);
    return code;
  },
  SetNamedSecurityInfoW: (...parameters) => {
    const code = advapi32.SetNamedSecurityInfoW(...parameters);
    if (code === 0) written.push(foreignAccessList(BigInt(parameters[5])));
    return code;
  },
};

grantVmGroup({ kernel32, advapi32: watched }, file);
grantVmGroup({ kernel32, advapi32: watched }, file);
await Deno.writeTextFile(file, "still ours");
console.log(JSON.stringify({ read, written, again }));
Deno.exit(0);
