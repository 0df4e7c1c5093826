import { assertEquals, assertThrows } from "@std/assert";
import { hostsFile, requireHostname, resolvConf } from "./network_files.ts";

Deno.test("guest:I10 resolvConf() has searches, servers and options in this order", () => {
  assertEquals(resolvConf([], []), "");
  assertEquals(resolvConf(["a", "b"], []), "search a b\n");
  assertEquals(resolvConf([], ["1", "2"]), "nameserver 1\nnameserver 2\n");
  assertEquals(resolvConf([], [], ["x", "y"]), "options x y\n");
  assertEquals(
    resolvConf(["a"], ["1"], ["x"]),
    "search a\nnameserver 1\noptions x\n",
  );
  const seven = [..."abcdefg"];
  assertThrows(() => resolvConf(seven, []), Error, "7 search domains");
});

Deno.test("guest:I11 requireHostname() takes letters, digits, '-', '.', '_' and nothing", () => {
  for (const name of ["", "a", "A-b_c.9"]) requireHostname(name);
  for (const name of ["a\n", "a@b", "a b", "a,b", "a\0", "a".repeat(1000)]) {
    assertThrows(() => requireHostname(name), Error, "Invalid hostname");
  }
});

Deno.test("guest:I12 hostsFile() names a host, and a qualified one twice", () => {
  const rest = [
    "",
    "# The following lines are desirable for IPv6 capable hosts",
    "::1     ip6-localhost ip6-loopback",
    "fe00::0 ip6-localnet",
    "ff00::0 ip6-mcastprefix",
    "ff02::1 ip6-allnodes",
    "ff02::2 ip6-allrouters",
    "",
  ].join("\n");
  assertEquals(
    hostsFile("box"),
    `127.0.0.1 localhost\n127.0.0.1 box\n${rest}`,
  );
  assertEquals(
    hostsFile("box.a.b"),
    `127.0.0.1 localhost\n127.0.0.1 box.a.b box\n${rest}`,
  );
});
