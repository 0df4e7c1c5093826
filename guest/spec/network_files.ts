/**
 * Texts of `/etc/hostname`, `/etc/hosts` and `/etc/resolv.conf`
 * (`spec/guest-runtime.md` 13.6).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";

const hostnameForm = /^[a-zA-Z0-9_\-.]{0,255}$/;

/** The kernel's resolver reads at most this many search domains. */
const maxSearches = 6;

/**
 * Checks a host name; an empty one is right.
 *
 * @throws {ShimError} InvalidArgument.
 */
export function requireHostname(hostname: string): void {
  if (hostnameForm.test(hostname)) return;
  throw new ShimError(
    "InvalidArgument",
    `Invalid hostname ${JSON.stringify(hostname.slice(0, 300))}: use at most ` +
      "255 letters, digits, '-', '.' and '_'",
  );
}

/** `/etc/hosts` of a host; a qualified name stands with its first label. */
export function hostsFile(hostname: string): string {
  const [label] = hostname.split(".");
  const names = hostname.includes(".") ? `${hostname} ${label}` : hostname;
  return [
    "127.0.0.1 localhost",
    `127.0.0.1 ${names}`,
    "",
    "# The following lines are desirable for IPv6 capable hosts",
    "::1     ip6-localhost ip6-loopback",
    "fe00::0 ip6-localnet",
    "ff00::0 ip6-mcastprefix",
    "ff02::1 ip6-allnodes",
    "ff02::2 ip6-allrouters",
    "",
  ].join("\n");
}

/**
 * `/etc/resolv.conf`; empty without entries.
 *
 * @throws {ShimError} InvalidArgument for more than 6 searches.
 */
export function resolvConf(
  searches: readonly string[],
  servers: readonly string[],
  options: readonly string[] = [],
): string {
  if (searches.length > maxSearches) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot write resolv.conf: ${searches.length} search domains, at most ` +
        `${maxSearches} are possible`,
    );
  }
  return [
    ...(searches.length > 0 ? [`search ${searches.join(" ")}\n`] : []),
    ...servers.map((server) => `nameserver ${server}\n`),
    ...(options.length > 0 ? [`options ${options.join(" ")}\n`] : []),
  ].join("");
}
