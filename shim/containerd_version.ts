/**
 * Asks containerd's executable for its version. Only needed to tell 1.7 from
 * 2.0 – 2.2, and guarded, because the executable may be something else.
 *
 * @module
 */

/** Bytes of output that are looked at; the real line has about 100. */
const maxOutput = 4096;

/**
 * True when the file may be run with `--version`: a daemon that embeds
 * containerd under another name would be started once more.
 */
export function isContainerd(path: string): boolean {
  return /(?:^|[\\/])containerd(?:\.exe)?$/i.test(path);
}

/**
 * Reads `containerd <go package> <version> <revision>`.
 *
 * @returns The major version, or undefined when the text is something else.
 */
export function parseContainerdMajor(text: string): number | undefined {
  const [name, goPackage, version] = text.trim().split(/\s+/);
  if (name !== "containerd") return undefined;
  const major = /^v?(\d{1,4})\.\d+/.exec(version ?? "")?.[1];
  if (major !== undefined) return Number(major);
  // A build without a version still names the module of its major version.
  return /\/v2$/.test(goPackage ?? "") ? 2 : undefined;
}

/**
 * The major version of containerd.
 *
 * @param path The executable, from `-publish-binary`.
 * @param signal Ends the attempt; the process is killed.
 * @returns Undefined when it cannot be told. Never rejects: the answer works without.
 */
export async function containerdMajor(
  path: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (!isContainerd(path) || signal.aborted) return undefined;
  try {
    const child = new Deno.Command(path, {
      args: ["--version"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
      signal,
    }).spawn();
    const output = await readSome(child.stdout, signal);
    // Whatever it does now, it has said what is needed.
    killQuietly(child);
    await child.status;
    return output === undefined ? undefined : parseContainerdMajor(output);
  } catch {
    // Not executable, not there, not ours to judge: the evidence is unusable.
    return undefined;
  }
}

function killQuietly(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended already.
  }
}

/** Reads until the first line is complete, the output ends, or there is too much. */
async function readSome(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const reader = stream.getReader();
  const onAbort = (): void => {
    reader.cancel().catch(() => {});
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const decoder = new TextDecoder();
    let text = "";
    while (text.length < maxOutput && !text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
    return signal.aborted ? undefined : text.slice(0, maxOutput);
  } finally {
    signal.removeEventListener("abort", onAbort);
    await reader.cancel();
  }
}
