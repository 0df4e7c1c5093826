import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { prefixText } from "../base/ip_address.ts";
import {
  hostDialer,
  parseInterface,
  parseTcpAddress,
  portBytes,
} from "./stand_in.ts";

Deno.test("parseTcpAddress() and parseInterface() read what stands on the kernel command line", () => {
  assertEquals(parseTcpAddress("10.0.2.2:4000"), {
    hostname: "10.0.2.2",
    port: 4000,
  });
  const { name, address } = parseInterface("eth0=10.0.2.15/24");
  assertEquals([name, prefixText(address)], ["eth0", "10.0.2.15/24"]);
});

Deno.test("parseTcpAddress() and parseInterface() refuse everything else", () => {
  for (const text of ["", "10.0.2.2", "host:1", "10.0.2.2:x"]) {
    assertThrows(() => parseTcpAddress(text), ShimError, "LCOW_VSOCK_TCP");
  }
  for (const text of ["", "eth0", "eth0=1.2.3/8", "eth0=1.2.3.256/8"]) {
    assertThrows(() => parseInterface(text), ShimError, "LCOW_NIC");
  }
  assertThrows(() => parseInterface("eth0=1.2.3.4/33"), ShimError);
});

Deno.test("hostDialer() says over TCP which port it means", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${listener.addr.port}`;
  const dial = hostDialer({
    get: (name) => name === "LCOW_VSOCK_TCP" ? address : undefined,
  });
  const [conn, stream] = await Promise.all([
    listener.accept(),
    dial(0x4000_0001),
  ]);
  const bytes = new Uint8Array(4);
  await conn.read(bytes);
  assertEquals(bytes, portBytes(0x4000_0001));
  assertEquals([...bytes], [0x40, 0, 0, 1]);
  conn.close();
  await stream.close();
  listener.close();
});
