import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "./errno.ts";
import { close } from "./files.ts";
import { libc } from "./libc.ts";
import { NetlinkSocket } from "./netlink_socket.ts";
import {
  inNetworkNamespace,
  openNetworkNamespace,
} from "./network_namespace.ts";
import { decodeLink, linkQuery, linkState } from "./rtnetlink.ts";

Deno.test.beforeAll(() => void libc());

const ignore = Deno.uid() !== 0;
if (ignore) console.log("skip: network namespaces: needs root");
const own = "/proc/thread-self/ns/net";

/** Runs a test with a descriptor of an empty network namespace. */
async function withNamespace(
  test: (namespace: number, pid: number) => void,
): Promise<void> {
  const child = new Deno.Command("unshare", {
    args: ["--net", "cat"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  // An answer comes when the namespace is there.
  const writer = child.stdin.getWriter();
  const reader = child.stdout.getReader();
  await writer.write(new TextEncoder().encode("\n"));
  await reader.read();
  const namespace = openNetworkNamespace(child.pid);
  try {
    test(namespace, child.pid);
  } finally {
    close(namespace);
    await writer.close();
    await reader.cancel();
    await child.status;
  }
}

function isUp(): boolean {
  using socket = new NetlinkSocket();
  const reply = socket.request(linkQuery("lo"))!;
  const flags = new DataView(reply.payload.buffer, reply.payload.byteOffset);
  return (flags.getUint32(8, true) & 1) === 1;
}

Deno.test({
  name: "a socket belongs to the namespace in which it was opened",
  ignore,
}, () =>
  withNamespace((namespace, pid) => {
    const before = Deno.readLinkSync(own);
    const there = inNetworkNamespace(namespace, () => Deno.readLinkSync(own));
    assertEquals(there, Deno.readLinkSync(`/proc/${pid}/ns/net`));
    assertNotEquals(there, before);
    assertEquals(Deno.readLinkSync(own), before);
    using socket = inNetworkNamespace(namespace, () => new NetlinkSocket());
    const { index, mtu } = decodeLink(socket.request(linkQuery("lo")));
    assertEquals([index, mtu], [1, 65536]);
    assertEquals(inNetworkNamespace(namespace, isUp), false);
    assertEquals(socket.request(linkState(1, true)), undefined);
    assertEquals(inNetworkNamespace(namespace, isUp), true);
  }));

Deno.test({
  name: "inNetworkNamespace() returns whatever its task throws",
  ignore,
}, () =>
  withNamespace((namespace) => {
    const before = Deno.readLinkSync(own);
    const fail = (): never => {
      throw new Error("it failed there");
    };
    assertThrows(() => inNetworkNamespace(namespace, fail), Error, "there");
    assertEquals(Deno.readLinkSync(own), before);
    const error = assertThrows(
      () => inNetworkNamespace(-1, () => {}),
      ErrnoError,
      "Cannot enter a network namespace",
    );
    assertEquals(error.errno, "EBADF");
    assertEquals(Deno.readLinkSync(own), before);
  }));

Deno.test("the namespace of a process that is gone cannot be opened", () => {
  const error = assertThrows(
    () => openNetworkNamespace(0x7fff_fff0),
    ErrnoError,
  );
  assertEquals([error.errno, error.code], ["ENOENT", "NotFound"]);
});

Deno.test("the kernel's refusal has its own words and the class of its number", () => {
  using socket = new NetlinkSocket();
  const error = assertThrows(
    () => socket.request(linkQuery("no-such-link")),
    ErrnoError,
    'Cannot find network interface "no-such-link"',
  );
  assertEquals([error.errno, error.code], ["ENODEV", "NotFound"]);
  // The socket serves on after a refusal.
  assertEquals(decodeLink(socket.request(linkQuery("lo"))).index, 1);
});
