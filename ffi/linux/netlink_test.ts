import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { parseIpAddress, parseIpPrefix } from "../../base/ip_address.ts";
import {
  decodeAnswer,
  decodeAttributes,
  decodeMessages,
  encodeRequest,
  type NetlinkRequest,
} from "./netlink.ts";
import {
  addressOnLink,
  decodeLink,
  linkMtu,
  linkNamespace,
  linkPair,
  linkQuery,
  linkRemoval,
  linkState,
  mainTable,
  routeOnLink,
  ruleForSource,
} from "./rtnetlink.ts";

function bytes(...fields: string[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(fields.join("").replaceAll(" ", ""));
}

function hex(request: NetlinkRequest): string {
  return encodeRequest(request, 7).toHex();
}

const prefix = (text: string) => parseIpPrefix(text)!;
const address = (text: string) => parseIpAddress(text)!;

Deno.test("a question about a link is a padded attribute behind an empty header", () => {
  assertEquals(
    hex(linkQuery("eth0")),
    bytes(
      "2c000000 1200 0500 07000000 00000000", // 44 bytes, RTM_GETLINK, seq 7
      "00 00 0000 00000000 00000000 00000000", // ifinfomsg
      "0900 0300 65746830 00 000000", // IFLA_IFNAME "eth0", padding
    ).toHex(),
  );
});

Deno.test("changes of a link name it by its index", () => {
  const head = (size: string): string => `${size}000000 1000 0500 07000000`;
  assertEquals(
    hex(linkState(3, true)),
    bytes(
      head("20"),
      "00000000 00000000 03000000 01000000 01000000", // IFF_UP, of IFF_UP
    ).toHex(),
  );
  assertEquals(
    hex(linkState(3, false)),
    bytes(
      head("20"),
      "00000000 00000000 03000000 00000000 01000000",
    ).toHex(),
  );
  assertEquals(
    hex(linkMtu(3, 1450)),
    bytes(
      head("28"),
      "00000000 00000000 03000000 00000000 00000000",
      "0800 0400 aa050000", // IFLA_MTU
    ).toHex(),
  );
  assertEquals(
    hex(linkNamespace(3, 9)),
    bytes(
      head("28"),
      "00000000 00000000 03000000 00000000 00000000",
      "0800 1c00 09000000", // IFLA_NET_NS_FD
    ).toHex(),
  );
});

Deno.test("an address keeps its host bits", () => {
  assertEquals(
    hex(addressOnLink(3, prefix("192.168.0.5/24"))),
    bytes(
      "28000000 1400 0506 07000000 00000000", // RTM_NEWADDR, create, exclusive
      "02 18 00 00 03000000", // AF_INET, /24, link 3
      "0800 0200 c0a80005 0800 0100 c0a80005", // IFA_LOCAL, IFA_ADDRESS
    ).toHex(),
  );
  assertEquals(
    hex(addressOnLink(3, prefix("fc00::5/64"))),
    bytes(
      "40000000 1400 0506 07000000 00000000",
      "0a 40 02 00 03000000", // AF_INET6, /64, IFA_F_NODAD
      "1400 0200 fc000000000000000000000000000005",
      "1400 0100 fc000000000000000000000000000005",
    ).toHex(),
  );
});

Deno.test("a default route has a gateway and no destination", () => {
  const route = {
    link: 3,
    gateway: address("192.168.0.1"),
    table: mainTable,
    metric: 0,
  };
  assertEquals(
    hex(routeOnLink(route)),
    bytes(
      "2c000000 1800 0506 07000000 00000000", // RTM_NEWROUTE
      "02 00 00 00 fe 03 00 01 00000000", // main, boot, universe, unicast
      "0800 0500 c0a80001", // RTA_GATEWAY
      "0800 0400 03000000", // RTA_OIF
    ).toHex(),
  );
});

Deno.test("a route has its own table and metric, an all-zero gateway is none", () => {
  const route = {
    link: 3,
    destination: prefix("10.0.0.0/8"),
    gateway: address("0.0.0.0"),
    table: 101,
    metric: 500,
  };
  assertEquals(
    hex(routeOnLink(route)),
    bytes(
      "34000000 1800 0506 07000000 00000000",
      "02 08 00 00 65 03 00 01 00000000", // AF_INET, /8, table 101
      "0800 0100 0a000000 0800 0400 03000000 0800 0600 f4010000",
    ).toHex(),
  );
  assertThrows(
    () => routeOnLink({ link: 3, table: mainTable, metric: 0 }),
    ShimError,
    "needs a gateway",
  );
});

Deno.test("a pair of interfaces is a nest of attributes, its end a link", () => {
  const hardware = bytes("00155d000001");
  assertEquals(
    hex(linkPair(
      { name: "port0", namespace: 8 },
      { name: "eth0", namespace: 9, hardware },
    )),
    bytes(
      "78000000 1000 0506 07000000 00000000", // RTM_NEWLINK, create, exclusive
      "00000000 00000000 00000000 00000000", // ifinfomsg
      "0a00 0300 706f72743000 0000", // IFLA_IFNAME "port0"
      "0800 1c00 08000000", // IFLA_NET_NS_FD
      "4400 1200", // IFLA_LINKINFO
      "0800 0100 76657468", // IFLA_INFO_KIND "veth"
      "3800 0200 3400 0100", // IFLA_INFO_DATA, VETH_INFO_PEER
      "00000000 00000000 00000000 00000000", // ifinfomsg
      "0900 0300 6574683000 000000 0800 1c00 09000000", // "eth0"
      "0a00 0100 00155d000001 0000", // IFLA_ADDRESS
    ).toHex(),
  );
  assertEquals(
    hex(linkRemoval(3)),
    bytes(
      "20000000 1100 0500 07000000 00000000", // RTM_DELLINK
      "00000000 03000000 00000000 00000000",
    ).toHex(),
  );
});

Deno.test("a rule chooses a table by the source", () => {
  const rule = {
    source: prefix("192.168.0.5/32"),
    table: 101,
    priority: 5,
  };
  assertEquals(
    hex(ruleForSource(rule)),
    bytes(
      "2c000000 2000 0506 07000000 00000000", // RTM_NEWRULE
      "02 00 20 00 65 00 00 01 00000000", // source /32, FR_ACT_TO_TBL
      "0800 0200 c0a80005 0800 0600 05000000", // FRA_SRC, FRA_PRIORITY
    ).toHex(),
  );
});

Deno.test("an answer says the error number and the kernel's words", () => {
  const echoed = "20000000 1800 0506 07000000 00000000";
  const [plain, told] = decodeMessages(bytes(
    `24000000 0200 0001 07000000 11000000 9bffffff ${echoed}`, // -101, capped
    `30000000 0200 0003 07000000 11000000 eaffffff ${echoed}`, // -22, TLVs
    "0a00 0100 576861743f00 0000", // NLMSGERR_ATTR_MSG "What?"
  ));
  assertEquals(plain!.sequence, 7);
  assertEquals(decodeAnswer(plain!), { errno: 101 });
  assertEquals(decodeAnswer(told!), { errno: 22, text: "What?" });
});

Deno.test("the whole request in an answer is skipped", () => {
  const [message] = decodeMessages(bytes(
    "30000000 0200 0002 07000000 11000000 ffffffff",
    "14000000 1800 0506 07000000 00000000 01020304", // 20 bytes
    "0700 0100 4e6f00 00",
  ));
  assertEquals(decodeAnswer(message!), { errno: 1, text: "No" });
});

Deno.test("wrong lengths end in a classified error, never in a loop", () => {
  const wrong = [
    "00",
    "0f000000 0200 0000 07000000 11000000",
    "11000000 0200 0000 07000000 11000000",
    "00000000 0200 0000 07000000 11000000",
    "ffffffff 0200 0000 07000000 11000000",
  ];
  for (const text of wrong) {
    const error = assertThrows(() => decodeMessages(bytes(text)), ShimError);
    assertEquals(error.code, "DataLoss", text);
  }
  for (const text of ["04", "0300 0100", "0900 0100 00000000", "0000 0000"]) {
    const error = assertThrows(() => decodeAttributes(bytes(text)), ShimError);
    assertEquals(error.code, "DataLoss", text);
  }
  const [short] = decodeMessages(
    bytes("14000000 0200 0000 07000000 11000000 00000000"),
  );
  assertThrows(() => decodeAnswer(short!), ShimError, "answer");
  assertThrows(() => decodeLink(undefined), ShimError, "about a link");
  assertThrows(() => decodeLink(short), ShimError, "about a link");
});

Deno.test("decodeLink() reads index and MTU among other attributes", () => {
  const [message] = decodeMessages(bytes(
    "30000000 1000 0000 07000000 11000000", // RTM_NEWLINK
    "00000100 2a000000 00000000 00000000", // ifinfomsg of link 42
    "0600 0580 00010000", // a nested attribute
    "0800 0400 dc050000", // IFLA_MTU
  ));
  assertEquals(decodeLink(message), { index: 42, mtu: 1500 });
});
