import { assertEquals } from "@std/assert";
import { ownCommand, ownProgram } from "./own_command.ts";

Deno.test("a compiled executable gets only the arguments", () => {
  const program = {
    executable: "C:\\shim\\containerd-shim-lcow-v2.exe",
    standalone: true,
    mainModule: "file:///C:/Temp/deno-compile/main.ts",
  };
  assertEquals(ownCommand(program, ["serve", "-id", "a b"]), [
    program.executable,
    "serve",
    "-id",
    "a b",
  ]);
});

Deno.test("a module is run by Deno, which prints nothing and fetches nothing", () => {
  const program = {
    executable: "C:\\deno\\deno.exe",
    standalone: false,
    mainModule: "file:///C:/lcow/shim/main.ts",
  };
  assertEquals(ownCommand(program, ["serve"]), [
    program.executable,
    "run",
    "-q",
    "--no-prompt",
    "--cached-only",
    "--no-lock",
    "--no-check",
    "-A",
    program.mainModule,
    "serve",
  ]);
});

Deno.test("this process knows its program", () => {
  const { executable, standalone, mainModule } = ownProgram();
  assertEquals(executable, Deno.execPath());
  assertEquals(standalone, false);
  assertEquals(new URL(mainModule).protocol, "file:");
});
