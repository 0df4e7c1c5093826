import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { serveSockets } from "./served_sockets.ts";
import { openStdio } from "./stdio.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The folder of an address. */
function folderOf(address: string): string {
  return address.slice("unix://".length, address.lastIndexOf("/"));
}

Deno.test("streams are served in a folder that only this user may enter, and that goes with them", async () => {
  const served = await serveSockets(true);
  const { stdin, stdout, stderr } = served.addresses;
  assertEquals(stderr, "");
  assertEquals(served.stderr, undefined);
  const folder = folderOf(stdin);
  assertEquals(folder, folderOf(stdout));
  const { mode } = await Deno.stat(folder);
  assertEquals((mode ?? 0) & 0o777, 0o700);
  await served[Symbol.asyncDispose]();
  await assertRejects(() => Deno.stat(folder), Deno.errors.NotFound);
  await assertRejects(() => openStdio(stdout, "stdout"), ShimError);
});

Deno.test("input that ended before the shim opened it arrives whole, and then its end", async () => {
  await using served = await serveSockets(false);
  const { addresses, stdin } = served;
  const written = stdin.write(encode("early")).then(() => stdin.closeWrite());
  const input = await openStdio(addresses.stdin, "stdin");
  await written;
  const buffer = new Uint8Array(16);
  assertEquals(await input.read(buffer), 5);
  assertEquals(await input.read(buffer), null);
  await input.close();
});

Deno.test("outputs end with the shim's end of them, or when it opens none", async () => {
  await using served = await serveSockets(false);
  const { addresses, stdin, stdout, stderr } = served;
  const output = await openStdio(addresses.stdout, "stdout");
  await output.write(encode("said"));
  await output.close();
  const buffer = new Uint8Array(16);
  assertEquals(await stdout.read(buffer), 4);
  assertEquals(await stdout.read(buffer), null);
  assert(stderr !== undefined);
  const errors = stderr.read(buffer);
  const typed = assertRejects(() => stdin.write(encode("x")), ShimError);
  await served.refuse();
  assertEquals(await errors, null);
  await typed;
  await stdin.closeWrite();
});
