/**
 * Network interfaces, as the first process of a machine sets them up
 * (netdevice(7)).
 *
 * @module
 */

import { close } from "./files.ts";
import { check, libc } from "./libc.ts";

// `linux/sockios.h`
const getFlags = 0x8913n;
const setFlags = 0x8914n;
const setAddress = 0x8916n;
const setMask = 0x891cn;

/** `IFF_UP`, `linux/if.h`. */
const up = 1;

/** `AF_INET`. */
const afInet = 2;

/** `struct ifreq`: a name of 16 bytes, then what is asked or set. */
function request(name: string): DataView<ArrayBuffer> {
  const bytes = new Uint8Array(40);
  bytes.set(new TextEncoder().encode(name).subarray(0, 15));
  return new DataView(bytes.buffer);
}

/** An address as `struct sockaddr_in` in a request. */
function withAddress(name: string, address: number): DataView<ArrayBuffer> {
  const view = request(name);
  view.setUint16(16, afInet, true);
  view.setUint32(20, address);
  return view;
}

function call(number: bigint, view: DataView<ArrayBuffer>, what: string): void {
  const datagram = 2; // SOCK_DGRAM
  const fd = check(
    libc().socket(afInet, datagram, 0),
    "Cannot make a socket",
  );
  try {
    check(libc().ioctl(fd, number, view), what);
  } finally {
    close(fd);
  }
}

/**
 * Brings an interface up.
 *
 * @throws {ErrnoError} ENODEV when there is no such interface.
 */
export function bringUp(name: string): void {
  const what = `Cannot bring up "${name}"`;
  const view = request(name);
  call(getFlags, view, what);
  view.setInt16(16, view.getInt16(16, true) | up, true);
  call(setFlags, view, what);
}

/**
 * Gives an interface an IPv4 address.
 *
 * @param name The interface.
 * @param address Four bytes as one number, the first one highest.
 * @param prefix Bits of the network, 0 … 32.
 * @throws {ErrnoError} ENODEV when there is no such interface.
 */
export function addAddress(
  name: string,
  address: number,
  prefix: number,
): void {
  const what = `Cannot give "${name}" an address`;
  call(setAddress, withAddress(name, address), what);
  const mask = prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0;
  call(setMask, withAddress(name, mask), what);
}
