/**
 * Security descriptors of the pretended Windows.
 *
 * @module
 */

import type { Advapi32Symbols } from "../../windows/library/advapi32.ts";
import { decodeUtf16, encodeUtf16 } from "../../windows/library/utf16.ts";
import { readParameter, writeOut } from "../heap.ts";
import { CallFailure } from "./calls.ts";
import type { FakeKernel } from "./kernel.ts";
import { viewOf } from "./memory.ts";

const symbol = "ConvertStringSecurityDescriptorToSecurityDescriptorW";

/** `ERROR_INVALID_ACL`: the answer to text that is no descriptor. */
const invalidAcl = 1336;

/** The symbol that makes descriptors. */
export function securitySymbols(
  kernel: FakeKernel,
): Pick<Advapi32Symbols, typeof symbol> {
  const { calls, memory } = kernel;
  return {
    [symbol]: (text, revision, out) =>
      calls.run(symbol, 0, () => {
        const sddl = readParameter(text);
        const isDescriptor = /^([OGDS]:(\w+)?(\([^()]*\))*)+$/.test(sddl);
        if (!isDescriptor || revision !== 1) throw new CallFailure(invalidAcl);
        // Its real form is Windows' secret: here it is the text behind its length.
        const units = encodeUtf16(sddl);
        const address = memory.allocate(4 + units.byteLength, "LocalFree");
        memory.viewAt(symbol, address, 4).setUint32(0, 2 * sddl.length, true);
        memory.at(symbol, address + 4n, units.byteLength)
          .set(new Uint8Array(units.buffer));
        writeOut(out, address);
        return 1;
      }),
  };
}

/** The text of the descriptor in `SECURITY_ATTRIBUTES`; empty for none. */
export function securityOf(
  kernel: FakeKernel,
  attributes: AllowSharedBufferSource | null,
): string {
  if (attributes === null) return "";
  const view = viewOf(attributes);
  if (view.getUint32(0, true) !== view.byteLength) {
    kernel.misuse.push("SECURITY_ATTRIBUTES with a wrong size");
  }
  const address = view.getBigUint64(8, true);
  if (address === 0n) return "";
  const { memory } = kernel;
  const what = "SECURITY_ATTRIBUTES";
  const length = memory.viewAt(what, address, 4).getUint32(0, true);
  return decodeUtf16(memory.at(what, address + 4n, length).slice());
}
