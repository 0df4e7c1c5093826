/**
 * The executable `containerd-shim-lcow-v2`. Dispatches on the mode; every mode
 * loads only what it needs, because `start` is timed by its users.
 *
 * @module
 */

import { messageOf } from "../base/errors.ts";
import { type Arguments, parseArguments, shimName } from "./args.ts";

/** Writes all bytes to a stream of this process. */
async function print(
  stream: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await stream.write(bytes.subarray(sent));
  }
}

/** Runs the mode. @returns The exit code. */
async function run(args: Arguments): Promise<number> {
  switch (args.mode) {
    case "version": {
      const { versionText } = await import("./version.ts");
      await print(Deno.stdout, new TextEncoder().encode(versionText()));
      return 0;
    }
    case "info": {
      const { runInfo } = await import("./info.ts");
      await print(Deno.stdout, await runInfo());
      return 0;
    }
    case "start": {
      const { runStart } = await import("./run_start.ts");
      await print(Deno.stdout, await runStart(args));
      return 0;
    }
    case "delete": {
      const { runDelete } = await import("./run_delete.ts");
      await print(Deno.stdout, await runDelete(args));
      return 0;
    }
    case "doctor": {
      const { runDoctor } = await import("./doctor.ts");
      const { text, code } = await runDoctor();
      await print(Deno.stdout, new TextEncoder().encode(text));
      return code;
    }
    case "lcow": {
      const { runLcow } = await import("./lcow/run.ts");
      return await runLcow(args.command, {
        print: (bytes) => print(Deno.stdout, bytes),
        complain: (bytes) => print(Deno.stderr, bytes),
      });
    }
    case "serve": {
      const { runServe } = await import("./serve.ts");
      return await runServe(args);
    }
  }
}

if (import.meta.main) {
  let code = 1;
  try {
    code = await run(parseArguments(Deno.args));
  } catch (error) {
    const line = messageOf(error).replaceAll(/\s*\n\s*/g, " ");
    await print(
      Deno.stderr,
      new TextEncoder().encode(`${shimName}: ${line}\n`),
    );
  }
  // Native threads and pending accepts may still be there: leave at once.
  Deno.exit(code);
}
