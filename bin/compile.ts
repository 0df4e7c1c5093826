/**
 * `deno task compile`: makes `dist/containerd-shim-lcow-v2.exe`, which needs
 * nothing beside Windows' own DLLs.
 *
 * Deno embeds every module that it can reach, also by imports that only Linux
 * follows. So `compile.json` puts an empty module in the place of the simulated
 * host, and with it goes what only the simulated host imports. That file has
 * nothing else but the packages: experimental settings print a warning when the
 * program starts, and containerd reads all that `start` prints as its answer.
 *
 * The executable begins with Deno's runtime image, which is downloaded. Where it
 * cannot be, the modules are embedded into the running Deno instead: that proves
 * that they embed, and the file is removed, because it does not run them.
 *
 * @module
 */

const root = new URL("../", import.meta.url);

/** The executable, from the project's root. */
export const executable = "dist/containerd-shim-lcow-v2.exe";

/** Where it runs. */
const windows = "x86_64-pc-windows-msvc";

/** What the executable consists of. */
const needed = ["shim/", "ffi/windows/"];

/** What only other programs, other systems and tests need. */
const unwanted = ["sim/", "guest/", "tests/", "ffi/linux/", "ffi/mock/"];

/** What the executable is made with, beside the modules. */
const config = ["--config", "bin/compile.json"];

/**
 * Arguments of deno.
 *
 * @param output The file to make.
 * @param target For which system; without one, for this.
 */
export function compileArguments(output: string, target?: string): string[] {
  return [
    "compile",
    ...[...config, "--lock", "deno.lock", "--frozen"],
    // Types are checked by a task of their own, with the real modules.
    ...["--no-check", "--exclude-unused-npm"],
    ...["--allow-all", "--no-prompt"],
    ...(target === undefined ? [] : ["--target", target]),
    ...["--output", output, "shim/main.ts"],
  ];
}

/**
 * The files in the tree that `deno compile` prints; small folders are one entry
 * that ends in `/*`.
 */
export function embeddedFiles(output: string): string[] {
  const files: string[] = [];
  const path: string[] = [];
  const row = /^((?:[│ ] )*)[├└]─([─┬]) (.+?) \([^()]*\)$/gm;
  for (const [, indent = "", kind, name = ""] of output.matchAll(row)) {
    const depth = indent.length / 2;
    path.splice(depth, path.length, name);
    if (kind === "─") files.push(path.join("/"));
  }
  return files;
}

/**
 * What is wrong with the files of an executable.
 *
 * @param files From the project's root.
 * @returns One line per problem.
 */
export function judgeFiles(files: readonly string[]): string[] {
  return [
    ...needed.filter((room) => !files.some((file) => file.startsWith(room)))
      .map((room) => `nothing of ${room} is embedded`),
    ...files.filter((file) => unwanted.some((room) => file.startsWith(room)))
      .map((file) => `${file} is embedded and must not be`),
  ];
}

/** Arguments of deno that list the modules which it would embed. */
export const graphArguments: readonly string[] = [
  ...["info", "--json", "--no-lock", ...config, "shim/main.ts"],
];

/**
 * What is wrong with the modules of the executable. A module that is missing
 * behind a dynamic import fails when it is run, not when it is compiled.
 *
 * @param graph What `deno info --json` prints.
 * @returns One line per problem.
 */
export function judgeGraph(graph: string): string[] {
  const { modules } = JSON.parse(graph) as {
    modules: { specifier: string; error?: string }[];
  };
  const files = modules.map(({ specifier }) => specifier)
    .filter((specifier) => specifier.startsWith(root.href))
    .map((specifier) => specifier.slice(root.href.length));
  const errors = modules.map(({ error }) => error)
    .filter((error) => error !== undefined);
  return [...errors, ...judgeFiles(files)];
}

/** True when all that failed is the download of Deno's runtime image. */
export function lacksImage(output: string): boolean {
  return output.includes("Setting up base binary");
}

interface Finished {
  readonly success: boolean;
  readonly stdout: string;
  /** All that was printed. */
  readonly output: string;
}

/**
 * What is said to Deno of its exporter, which is fixed when the executable is made:
 * the measurements of Deno itself would delay the end of every process.
 */
function telemetry(): Record<string, string> {
  return { OTEL_DENO_METRICS: Deno.env.get("OTEL_DENO_METRICS") || "false" };
}

async function deno(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const { success, ...streams } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    env: { NO_COLOR: "1", ...telemetry(), ...env },
    stdin: "null",
  }).output();
  const stdout = new TextDecoder().decode(streams.stdout);
  const stderr = new TextDecoder().decode(streams.stderr);
  return { success, stdout, output: stdout + stderr };
}

/** Embeds the modules into the running Deno, and removes what that makes. */
async function embedOnly(): Promise<Finished> {
  const folder = await Deno.makeTempDir({ prefix: "lcow-compile-" });
  try {
    return await deno(compileArguments(`${folder}/shim`), {
      DENORT_BIN: Deno.execPath(),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Says why there is no executable. @returns The exit code. */
function fail(problems: readonly string[]): number {
  console.error(`Cannot compile:\n${problems.join("\n")}`);
  return 1;
}

/** @returns The exit code. */
async function compile(): Promise<number> {
  const graph = await deno(graphArguments);
  const broken = graph.success ? judgeGraph(graph.stdout) : [graph.output];
  if (broken.length > 0) return fail(broken);
  const made = await deno(compileArguments(executable, windows));
  const hasImage = made.success || !lacksImage(made.output);
  const { success, output } = hasImage ? made : await embedOnly();
  const files = embeddedFiles(output);
  const problems = success ? judgeFiles(files) : [output.trim()];
  if (problems.length > 0) return fail(problems);
  const sum = `${files.length} entries, nothing of ${unwanted.join(", ")}`;
  console.log(
    hasImage
      ? `Compiled ${executable}: ${sum}`
      : `No executable was made: Deno's runtime image for ${windows} cannot be ` +
        `downloaded here.\nThe module graph embeds: ${sum}`,
  );
  return 0;
}

if (import.meta.main) Deno.exit(await compile());
