/**
 * Network interfaces that init sets up.
 *
 * @module
 */

import type { IpPrefix } from "../../base/ip_address.ts";
import { NetlinkSocket } from "../../ffi/linux/netlink_socket.ts";
import {
  addressOnLink,
  decodeLink,
  linkQuery,
  linkState,
} from "../../ffi/linux/rtnetlink.ts";

/**
 * Gives an interface an address, if any, and brings it up.
 *
 * @throws {ErrnoError} ENODEV when there is no such interface.
 */
export function setUpLink(name: string, address?: IpPrefix): void {
  using socket = new NetlinkSocket();
  const { index } = decodeLink(socket.request(linkQuery(name)));
  if (address !== undefined) socket.request(addressOnLink(index, address));
  socket.request(linkState(index, true));
}
