/** The log of a sandbox, on the command line: while it runs, and when its shim is gone. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { PrivateContainerd } from "../containerd.ts";
import { limits } from "../../base/timeouts.ts";
import { logFileName } from "../../shim/log/names.ts";
import { limit, newId } from "./fixture.ts";

const shim =
  new URL("../../bin/containerd-shim-lcow-v2", import.meta.url).pathname;

function command(
  ctr: PrivateContainerd,
  args: readonly string[],
): Deno.Command {
  return new Deno.Command(shim, {
    args: ["lcow", ...args],
    env: ctr.env,
    stdout: "piped",
    stderr: "piped",
  });
}

async function lcow(
  ctr: PrivateContainerd,
  ...args: string[]
): Promise<string> {
  const { code, stdout, stderr } = await command(ctr, args).output();
  const text = new TextDecoder();
  assertEquals([code, text.decode(stderr)], [0, ""]);
  return text.decode(stdout);
}

function verbose(): Promise<PrivateContainerd> {
  return PrivateContainerd.start({ env: { LCOW_LOG_LEVEL: "debug" } });
}

/** The messages of JSON lines. */
function messages(text: string): string[] {
  return text.trimEnd().split("\n").map((line) => JSON.parse(line).msg);
}

/** What a follower prints, message by message. */
class Following {
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(ctr: PrivateContainerd, ...args: string[]) {
    this.#child = command(ctr, ["logs", "-f", "--json", ...args]).spawn();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  /** Reads until a line says this. */
  async until(message: string): Promise<void> {
    while (!this.#text.includes(JSON.stringify(message))) {
      const { done, value } = await this.#reader.read();
      assert(!done, `no line says ${message}: ${this.#text}`);
      this.#text += value;
    }
  }

  /** Reads no more, as `head` does. */
  async leave(): Promise<void> {
    await this.#reader.cancel();
  }

  /** Presses Ctrl-C. */
  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  /** Waits for the end. */
  async ended(): Promise<{ code: number; stderr: string; messages: string[] }> {
    const [{ code }, stderr] = await Promise.all([
      this.#child.status,
      new Response(this.#child.stderr).text(),
    ]);
    return { code, stderr, messages: messages(this.#text) };
  }
}

Deno.test({
  name:
    "lcow logs -f follows a container's shim through a rotation of its file",
  timeout: limit,
  fn: async () => {
    await using ctr = await verbose();
    const id = newId();
    const folder = `${ctr.dir}/lcow/log`;
    const path = (generation: number): string =>
      `${folder}/${logFileName({ namespace: "default", id }, generation)}`;
    // An older shim of this id has left room for a line or two.
    const old = `${
      JSON.stringify({ time: "2020-01-01T00:00:00Z", msg: "old" })
    }\n`;
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const count = Math.floor((limits.logFile - 300) / old.length);
    await Deno.writeTextFile(path(1), old.repeat(count));
    const following = new Following(ctr, id, "--since", "1d");
    const quitter = new Following(ctr, id, "--since", "1d");
    await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], ["--detach"]));
    await following.until("The shim serves");
    await quitter.until("The shim serves");
    await quitter.leave();
    await ctr.ctr("task", "delete", "--force", id);
    await ctr.ctr("container", "delete", id);
    await following.until("The VM has ended");
    const left = await quitter.ended();
    assertEquals([left.code, left.stderr], [141, ""]);
    following.interrupt();
    const { code, stderr, messages: seen } = await following.ended();
    assertEquals([code, stderr], [130, ""]);
    const files = [path(1), path(2)].map((file) => Deno.readTextFileSync(file));
    const written = messages(files.join("").replace("\n\n", "\n"))
      .filter((message) => message !== "old");
    assert((files[1] ?? "").length > 0, "the file was not rotated");
    assertEquals(seen, written.slice(0, seen.length));
    assert(seen.includes("The shim ends"));
    assertEquals(await ctr.leftovers(), []);
  },
});

Deno.test({
  name: "lcow logs prints what a shim said that was killed",
  timeout: limit,
  fn: async () => {
    await using ctr = await verbose();
    const id = newId();
    await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], ["--detach"]));
    const { shims } = JSON.parse(await lcow(ctr, "ps", id, "--json"));
    Deno.kill(shims[0].pid, "SIGKILL");
    await ctr.run(["task", "delete", "--force", id]);
    await ctr.ctr("container", "delete", id);
    const text = await lcow(ctr, "logs", id);
    assertMatch(
      text,
      /^\d{4}-\d\d-\d\d \(UTC\)\n[\d:.]+ INFO {2}shim {2}The shim serves version=/,
    );
    assertStringIncludes(text, ` pid=${shims[0].pid} bundle=`);
    assertMatch(await lcow(ctr, "logs"), new RegExp(`\ndefault +${id} `));
    assertEquals(await ctr.leftovers(), []);
  },
});

/** Flags of `ctr` for a container of a pod. */
function memberFlags(pod: string, kind: "sandbox" | "container"): string[] {
  return [
    "--detach",
    "--annotation",
    `io.kubernetes.cri.container-type=${kind}`,
    "--annotation",
    `io.kubernetes.cri.sandbox-id=${pod}`,
  ];
}

Deno.test({
  name:
    "lcow logs tells at the default level how the container of a pod that is gone lived, and why another could not be created",
  timeout: 2 * limit, // It starts many processes.
  fn: async () => {
    await using ctr = await PrivateContainerd.start();
    const [pod, web, bad] = [newId("pod"), newId("web"), newId("bad")];
    const command = ["sleep", "1000"];
    for (const [id, kind] of [[pod, "sandbox"], [web, "container"]] as const) {
      await ctr.ctr(...ctr.runArgs(id, command, memberFlags(pod, kind)));
    }
    const refused = await ctr.run(
      ctr.runArgs(bad, command, [
        ...memberFlags(pod, "container"),
        "--log-uri",
        "binary:///bin/false",
      ]),
    );
    assert(refused.code !== 0);
    for (const id of [web, pod]) {
      await ctr.ctr("task", "kill", "--signal", "9", id);
      await ctr.run(["task", "delete", "--force", id]);
      await ctr.ctr("container", "delete", id);
    }
    await ctr.run(["container", "delete", bad]);
    const linesOf = async (id: string) =>
      (await lcow(ctr, "logs", id, "--json")).trimEnd()
        .split("\n").map((line) => JSON.parse(line));
    const lines = (await linesOf(web))
      .filter(({ source }) => source !== "guest");
    assertEquals(
      lines.map(({ level, msg, exitCode, killedByClient }) =>
        [level, msg, exitCode, killedByClient].join(" ").trimEnd()
      ),
      [
        "info Container created",
        "info Container started",
        "info Container exited 137 true",
      ],
    );
    const why = await lcow(ctr, "logs", bad, "--level", "warn");
    assertMatch(
      why,
      /WARN {2}shim {2}Call failed .*rpc=containerd\.task\.v\d\.Task\/Create .*\/bin\/false/,
    );
    const all = await linesOf(pod);
    assertEquals(all.filter(({ msg }) => msg === "The VM has ended").length, 1);
    const ofGuest = all.filter(({ source }) => source === "guest");
    assert(ofGuest.length > 0);
    assertEquals(
      new Set(ofGuest.map((line) => line["sandbox-id"])),
      new Set([pod]),
    );
    assertEquals(await ctr.leftovers(), []);
  },
});

/** Text of the files of an archive, by name. */
async function unpacked(
  archive: string,
  into: string,
): Promise<Map<string, string>> {
  await Deno.mkdir(into);
  const { success } = await new Deno.Command("tar", {
    args: ["-xzf", archive, "-C", into],
  }).output();
  assert(success);
  const files = new Map<string, string>();
  const visit = async (folder: string, name: string): Promise<void> => {
    for await (const entry of Deno.readDir(`${into}/${folder}`)) {
      const path = `${folder}/${entry.name}`;
      const short = `${name}${entry.name}`;
      if (entry.isDirectory) await visit(path, `${short}/`);
      else files.set(short, await Deno.readTextFile(`${into}/${path}`));
    }
  };
  await visit("lcow-bundle", "");
  return files;
}

/** Asserts that no file has a text. */
function assertNowhere(files: Map<string, string>, secret: string): void {
  for (const [name, text] of files) {
    assert(!text.includes(secret), `${name} has it: ${text}`);
  }
}

Deno.test({
  name:
    "lcow bundle collects what there is, without the container's environment and annotations, also of a shim that was killed",
  timeout: limit,
  fn: async () => {
    await using ctr = await verbose();
    const id = newId();
    const secret = `hunter2-${crypto.randomUUID()}`;
    const flags = ["--detach", "--env", `PASSWORD=${secret}`];
    const size = "io.microsoft.virtualmachine.computetopology.memory.sizeinmb";
    const notes = ["org.example.token", size].flatMap((name) => [
      "--annotation",
      `${name}=${secret}`,
    ]);
    await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], [...flags, ...notes]));
    const exec = ["--detach", "--fifo-dir", `${ctr.dir}/fifo`, "--exec-id"];
    await ctr.ctr("task", "exec", ...exec, "probe", id, "sleep", "1000");

    const alive = `${ctr.dir}/alive.tar.gz`;
    assertEquals(await lcow(ctr, "bundle", id, alive), `${alive}\n`);
    const files = await unpacked(alive, `${ctr.dir}/alive`);
    assertEquals([...files.keys()].sort(), [
      "bundles/1/config.json",
      "bundles/1/panic.log",
      "bundles/1/vm.json",
      "doctor.txt",
      "log/1.jsonl",
      "manifest.json",
      "metrics.txt",
      "shim.json",
      "stacks.txt",
      "version.txt",
    ]);
    assertMatch(files.get("stacks.txt") ?? "", /\nGuest:\n.*containers:/s);
    const spec = JSON.parse(files.get("bundles/1/config.json") ?? "");
    assertEquals([spec.process.env, spec.annotations], [
      "<scrubbed>",
      "<scrubbed>",
    ]);
    assertEquals(spec.process.args, ["sleep", "1000"]);
    assertNowhere(files, secret);

    const { shims } = JSON.parse(await lcow(ctr, "ps", id, "--json"));
    Deno.kill(shims[0].pid, "SIGSTOP");
    const hung = `${ctr.dir}/hung.tar.gz`;
    try {
      const { missing } = JSON.parse(
        await lcow(ctr, "bundle", id, hung, "--json"),
      );
      assertEquals(missing.map(({ name }: { name: string }) => name), [
        "stacks.txt",
        "metrics.txt",
      ]);
    } finally {
      Deno.kill(shims[0].pid, "SIGKILL");
    }
    const left = await unpacked(hung, `${ctr.dir}/hung`);
    assertEquals(JSON.parse(left.get("shim.json") ?? "").state, "silent");
    assertEquals(
      left.get("bundles/1/vm.json"),
      files.get("bundles/1/vm.json"),
    );
    assertNowhere(left, secret);

    await ctr.run(["task", "delete", "--force", id]);
    await ctr.ctr("container", "delete", id);
    // containerd clears away behind the shim in its own time.
    assertEquals(await ctr.leftovers(), []);
    const dead = `${ctr.dir}/dead.tar.gz`;
    assertMatch(
      await lcow(ctr, "bundle", id, dead),
      /missing: shim\.json: Its shim is gone\n/,
    );
    const rest = await unpacked(dead, `${ctr.dir}/dead`);
    assertStringIncludes(rest.get("log/1.jsonl") ?? "", '"The shim serves"');
    assertNowhere(rest, secret);
    assertEquals(await ctr.leftovers(), []);
  },
});
