/**
 * Devices of the host that a specification names in its windows section.
 *
 * @module
 */

import { joinWindowsPath } from "../base/windows_path.ts";

/** Types of devices that can be assigned to a VM. */
const assignable = ["gpu", "vpci", "vpci-instance-id"];

/** A function of a PCI device of the host. */
export interface PciFunction {
  /** Instance path of the device. */
  readonly instancePath: string;
  /** Index of the virtual function; 0 is the device itself. */
  readonly virtualFunction: number;
}

/** True when a device of this type can be assigned to a VM. */
export function isAssignable(idType: string): boolean {
  return assignable.includes(idType);
}

/** A path, a separator of either kind, and decimal digits. */
const withFunction = /^(.*[\\/])(\d+)$/s;

const highestFunction = 0xffff;

/**
 * Reads the id of a device.
 *
 * @param id An instance path, or one with the index of a virtual function behind
 * it. What is no index of 16 bits belongs to the path.
 *
 * @example
 * ```ts
 * import { parsePciFunction } from "./devices.ts";
 * const { virtualFunction } = parsePciFunction("PCIP\\VEN_1414\\5&1\\3");
 * console.assert(virtualFunction === 3);
 * ```
 */
export function parsePciFunction(id: string): PciFunction {
  const [, path, digits] = withFunction.exec(id) ?? [];
  const index = Number(digits);
  if (path === undefined || !(index <= highestFunction)) {
    return { instancePath: id, virtualFunction: 0 };
  }
  return { instancePath: joinWindowsPath(path), virtualFunction: index };
}
