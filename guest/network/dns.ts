/**
 * Name servers and search domains of adapters (`spec/guest-runtime.md` 13.6).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { limits } from "../../base/timeouts.ts";
import type { NetworkAdapter } from "../../bridge/messages.gen.ts";

/** What `resolv.conf` says. */
export interface Dns {
  /** Search domains. */
  readonly searches: readonly string[];
  /** Name servers. */
  readonly servers: readonly string[];
}

/** Longest domain name, which is longer than any address. */
const maxEntry = 255;

/** Entries of a list of the host, in lower case. */
function entriesOf(list = ""): string[] {
  return list.split(",").map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== "");
}

/** Merges the lists of adapters in their order; the first of equals stays. */
export function mergeDns(adapters: Iterable<NetworkAdapter>): Dns {
  const searches = new Set<string>();
  const servers = new Set<string>();
  for (const { DNSSuffix, DNSServerList } of adapters) {
    for (const entry of entriesOf(DNSSuffix)) searches.add(entry);
    for (const entry of entriesOf(DNSServerList)) servers.add(entry);
  }
  return { searches: [...searches], servers: [...servers] };
}

/**
 * Checks the lists of an adapter: an entry with a blank in it would become
 * further words or lines of `resolv.conf`.
 *
 * @throws {ShimError} InvalidArgument.
 */
export function requireDns(adapter: NetworkAdapter): void {
  for (const member of ["DNSSuffix", "DNSServerList"] as const) {
    const entries = entriesOf(adapter[member]);
    const wrong = entries.find((entry) =>
      entry.length > maxEntry || !/^[\x21-\x7e]+$/.test(entry)
    );
    if (wrong !== undefined) {
      throw new ShimError(
        "InvalidArgument",
        `Invalid ${member} entry ${JSON.stringify(wrong.slice(0, 100))}: use ` +
          `at most ${maxEntry} printable characters without blanks`,
      );
    }
    if (entries.length > limits.dnsEntries) {
      throw new ShimError(
        "InvalidArgument",
        `Invalid ${member}: ${entries.length} entries, at most ` +
          `${limits.dnsEntries} are possible`,
      );
    }
  }
}
