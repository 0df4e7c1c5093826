/** The command line and the answer of `start`. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Any } from "../../../../ttrpc/api/any.gen.ts";
import { Options } from "../../../../ttrpc/api/runhcs_options.gen.ts";
import { RuntimeInfo } from "../../../../ttrpc/api/runtime_info.gen.ts";
import { Options as RuntimeOptions } from "../../../../ttrpc/api/runtime_options.gen.ts";
import { DeleteResponse } from "../../../../ttrpc/api/task.gen.ts";
import { writeBundle } from "../../../driver.ts";
import type { Case, CaseGroup, Scene } from "../case.ts";
import {
  type Daemon,
  deleteCall,
  type Finished,
  readAnswer,
  type StartAnswer,
} from "../command.ts";
import { isAlive } from "../shim.ts";

/** Runs the executable in the world's folder. */
function run(
  { world, signal }: Scene,
  args: readonly string[],
  input?: Uint8Array,
): Promise<Finished> {
  return world.run({ args, input }, world.dir, signal);
}

/** A refused command: not 0, silent on standard output, one reason. */
function assertRefused({ code, stdout, stderr }: Finished): void {
  assert(code !== 0, "exit code 0");
  assertEquals(new TextDecoder().decode(stdout), "");
  assert(stderr.trim() !== "", "it says nothing");
}

/** A bundle with a sleeping container. */
async function bundle({ world }: Scene, id: string): Promise<string> {
  const path = `${world.dir}/${id}`;
  await writeBundle(path, world.rootfs, { args: ["/bin/sleep", "1000"] });
  return path;
}

/** Processes whose command line names an id. */
async function processesOf(id: string): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name) || !await isAlive(Number(name))) continue;
    const words = await Deno.readTextFile(`/proc/${name}/cmdline`)
      .catch(() => ""); // It has ended meanwhile.
    if (words.split("\0").includes(id)) found.push(Number(name));
  }
  return found;
}

/** The form of the answer for one daemon. */
function answersIn(
  daemon: Daemon,
  form: StartAnswer["form"],
  version: number,
): Case {
  return {
    name: `start for containerd ${daemon} answers ${form}, version ${version}`,
    needs: form === "plain" ? {} : { answerForms: true },
    run: async (scene) => {
      const { answer } = await scene.shim({ daemon });
      assertEquals([answer.form, answer.version], [form, version]);
    },
  };
}

/** See the module. */
export const commandLine: CaseGroup = {
  name: "Command line",
  cases: [
    answersIn("1.6", "plain", 2),
    answersIn("1.7", "json", 2),
    answersIn("2.0", "json", 3),
    answersIn("2.3", "protobuf", 3),
    {
      name: "start prints exactly one answer and nothing on standard error",
      run: async (scene) => {
        const { shim } = await scene.alone();
        const again = await scene.world.start(shim.id, scene.signal);
        assertEquals([again.code, again.stderr], [0, ""]);
        assertEquals(readAnswer(again.stdout), shim.answer);
      },
    },
    {
      name: "start writes the file address into the bundle for containerd 1.6",
      run: async (scene) => {
        const shim = await scene.shim({ daemon: "1.6" });
        const path = `${shim.bundleOf(shim.id)}/address`;
        assertEquals(await Deno.readTextFile(path), shim.answer.address);
      },
    },
    {
      name: "start of a pod's member answers the address of the pod",
      run: async (scene) => {
        const { shim } = await scene.pod();
        const container = await scene.prepared();
        const { stdout } = await scene.world.start(container.id, scene.signal);
        assertEquals(readAnswer(stdout).address, shim.answer.address);
      },
    },
    {
      name: "two starts of one id at once answer one address",
      run: async (scene) => {
        const { world, signal } = scene;
        const id = world.newId("s");
        await bundle(scene, id);
        const first = scene.shim({ id });
        first.catch(() => {}); // It is awaited below.
        const { code, stdout, stderr } = await world.start(id, signal);
        const { answer } = await first;
        assertEquals([code, stderr], [0, ""]);
        assertEquals(readAnswer(stdout).address, answer.address);
      },
    },
    {
      name: "start takes packed options of a type that is not the shim's",
      run: async (scene) => {
        const input = Any.encode({
          typeUrl: "runtimeoptions.v1.Options",
          value: RuntimeOptions.encode({}),
        });
        await scene.shim({ daemon: "2.0", input });
      },
    },
    {
      name: "start without a namespace is refused",
      run: async (scene) => {
        assertRefused(await run(scene, ["-id", "x", "start"]));
      },
    },
    {
      name: "an unknown flag is refused",
      run: async (scene) => {
        assertRefused(await run(scene, ["-no-such-flag", "start"]));
      },
    },
    {
      name: "start with a config.json that is not JSON is refused",
      needs: { readsBundleInStart: true },
      run: async (scene) => {
        const { world, signal } = scene;
        const id = world.newId("s");
        const path = await bundle(scene, id);
        await Deno.writeTextFile(`${path}/config.json`, '{"annotations":');
        assertRefused(await world.start(id, signal));
        assertEquals(await processesOf(id), []);
      },
    },
    {
      name: "start with options that are not protobuf is refused",
      needs: { readsBundleInStart: true },
      run: async (scene) => {
        const { world, signal } = scene;
        const id = world.newId("s");
        await bundle(scene, id);
        const input = Uint8Array.of(0x0c, 1, 2, 3);
        assertRefused(await world.start(id, signal, { input }));
        assertEquals(await processesOf(id), []);
      },
    },
    {
      name: "-v prints a version",
      run: async (scene) => {
        const { code, stdout, stderr } = await run(scene, ["-v"]);
        assertEquals([code, stderr], [0, ""]);
        assertMatch(new TextDecoder().decode(stdout), /\d+\.\d+\.\d+/);
      },
    },
    {
      name: "-info answers a RuntimeInfo",
      needs: { info: true },
      run: async (scene) => {
        const { code, stdout, stderr } = await run(scene, ["-info"]);
        assertEquals([code, stderr], [0, ""]);
        const { name, version } = RuntimeInfo.decode(stdout);
        assert(name !== "" && version?.version !== "", "name or version");
      },
    },
    {
      name: "-info takes options and answers them",
      needs: { info: true },
      run: async (scene) => {
        const value = Options.encode({ vmMemorySizeInMb: 512 });
        const input = Any.encode({ typeUrl: Options.typeName, value });
        const { code, stdout } = await run(scene, ["-info"], input);
        assertEquals(code, 0);
        assert(RuntimeInfo.decode(stdout).name !== "", "no name");
      },
    },
    {
      name: "delete of an id that no shim has answers a DeleteResponse",
      run: async (scene) => {
        const { world, signal } = scene;
        const id = world.newId("s");
        const path = await bundle(scene, id);
        const call = deleteCall(world.place(), world.target.daemon, id, path);
        const { code, stdout, stderr } = await world.run(call, path, signal);
        assertEquals(code, 0, stderr);
        const { exitStatus, exitedAt } = DeleteResponse.decode(stdout);
        assertEquals(exitStatus, scene.has.lostStatus);
        assert((exitedAt?.seconds ?? 0n) > 0n, "no time of the end");
      },
    },
  ],
};
