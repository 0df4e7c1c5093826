/** What a user hears who may not enter what belongs to root. */

import { assertEquals } from "@std/assert";
import { listenAt } from "./endpoint.ts";
import { endpointAddress, stateFolders } from "./state.ts";

const host = new URL("./host.ts", import.meta.url).href;
const errors = new URL("../base/errors.ts", import.meta.url).href;

/** Prints the class and the text of what each question of a reader is refused with. */
const script = `
  import { simulatedPlatform } from "${host}";
  import { classify, messageOf } from "${errors}";
  const [root, address] = Deno.args;
  const platform = simulatedPlatform(root);
  const questions = [
    () => platform.connect(address),
    () => platform.endpoints(),
    () => platform.logFolder("read"),
  ];
  for (const ask of questions) {
    console.log(
      await ask().then(
        (answer) => JSON.stringify(answer),
        (error) => classify(error) + ": " + messageOf(error),
      ),
    );
  }`;

/** Asks with the rights that the modes of files give; root has more. */
async function ask(root: string, address: string): Promise<string[]> {
  const drop = [
    "setpriv",
    "--bounding-set",
    "-dac_override,-dac_read_search",
  ];
  const command = [Deno.execPath(), "eval", "-q", script, root, address];
  const [program, ...args] = Deno.uid() === 0 ? [...drop, ...command] : command;
  const { stdout } = await new Deno.Command(program!, {
    args,
    stdin: "null",
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout).trim().split("\n");
}

Deno.test("a reader without rights hears so, and not that a shim is gone", async () => {
  const root = await Deno.makeTempDir({ prefix: "lcow-s-" });
  const state = stateFolders(root);
  const address = await endpointAddress(state, "n", "web");
  const path = address.slice("unix://".length);
  try {
    const listener = await listenAt(address);
    await Deno.mkdir(state.logs);
    for (const closed of [path, state.logs]) await Deno.chmod(closed, 0);
    const refusals = [
      `PermissionDenied: Cannot connect to "${address}": only its owner may; run this as root`,
      `["${address}"]`,
      `PermissionDenied: Cannot read log files in ${state.logs}: only its owner may; run this as root`,
    ];
    assertEquals(await ask(root, address), refusals);
    await Deno.chmod(state.sockets, 0);
    const listing =
      `PermissionDenied: Cannot list the shims in ${state.sockets}: only its owner may; run this as root`;
    assertEquals(await ask(root, address), refusals.with(1, listing));
    await Deno.chmod(state.sockets, 0o700);
    await listener.close();
    assertEquals((await ask(root, address))[0]!.split(":")[0], "Unavailable");
  } finally {
    for (const closed of [state.sockets, state.logs]) {
      await Deno.chmod(closed, 0o700);
    }
    await Deno.remove(root, { recursive: true });
  }
});
