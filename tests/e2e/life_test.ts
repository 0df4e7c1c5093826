import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  assertNothingLeft,
  daemon,
  limit,
  newId,
  remove,
  runContainer,
  useContainerd,
} from "./fixture.ts";

useContainerd();

Deno.test({
  name: "ctr run gives the output and the exit code of the process",
  timeout: limit,
  fn: async () => {
    assertEquals(await runContainer(["echo", "hi"]), {
      code: 0,
      stdout: "hi\n",
      stderr: "",
    });
    const failed = await runContainer(["sh", "-c", "echo no >&2; exit 7"]);
    assertEquals([failed.code, failed.stderr], [7, "no\n"]);
    await assertNothingLeft();
  },
});

Deno.test({
  name: "the image's layers lie above one another and can be written",
  timeout: limit,
  fn: async () => {
    const script =
      "cat /srv/hello && echo new > /srv/hello && rm /bin/wget && cat /srv/hello";
    const { code, stdout } = await runContainer(["sh", "-c", script]);
    assertEquals([code, stdout], [0, "hello from layer two\nnew\n"]);
    const { stdout: again } = await runContainer(["cat", "/srv/hello"]);
    assertEquals(again, "hello from layer two\n");
  },
});

Deno.test({
  name:
    "task ls, ps, metrics, exec, kill and delete work on a running container",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const id = newId();
    const args = ctr.runArgs(id, ["sh", "-c", "echo up; exec sleep 1000"]);
    const process = ctr.spawn(args);
    const output = process.stdout.getReader();
    await output.read();
    try {
      assertMatch(
        await ctr.ctr("task", "ls"),
        new RegExp(`${id}\\s+\\d+\\s+RUNNING`),
      );
      assertMatch(await ctr.ctr("task", "ps", id), /\d+/);
      assertStringIncludes(await ctr.ctr("task", "metrics", id), "memory");
      const exec = (...command: string[]) =>
        ctr.run([
          "task",
          "exec",
          "--fifo-dir",
          `${ctr.dir}/fifo`,
          "--exec-id",
          newId("e"),
          id,
          ...command,
        ]);
      const hello = await exec("sh", "-c", "echo out; echo err >&2; exit 3");
      assertEquals(hello, { code: 3, stdout: "out\n", stderr: "err\n" });
      const missing = await exec("/no/such/program");
      assertEquals(missing.code, 1);
      assertStringIncludes(missing.stderr, "/no/such/program");
    } finally {
      await ctr.ctr("task", "kill", "--signal", "SIGKILL", id);
      while (!(await output.read()).done);
      await process.stderr.cancel();
    }
    assertEquals((await process.status).code, 137);
    await ctr.ctr("container", "delete", id);
    await assertNothingLeft();
  },
});

Deno.test({
  name: "a signal reaches the process, and its exit code is the process's own",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const id = newId();
    const script =
      "trap 'echo got term; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    const process = ctr.spawn(ctr.runArgs(id, ["sh", "-c", script]));
    let seen = "";
    let killed = false;
    for await (
      const text of process.stdout.pipeThrough(new TextDecoderStream())
    ) {
      seen += text;
      if (!killed && seen.includes("ready")) {
        killed = true;
        await ctr.ctr("task", "kill", "--signal", "SIGTERM", id);
      }
    }
    await process.stderr.cancel();
    const { code } = await process.status;
    assertEquals([code, seen], [5, "ready\ngot term\n"]);
    await remove(id);
    await assertNothingLeft();
  },
});

Deno.test({
  name: "a pod's containers share one VM, which ends with the last of them",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const pod = newId("pod");
    const web = newId("web");
    const annotated = (id: string, type: string): string[] =>
      ctr.runArgs(id, ["sleep", "1000"], [
        "--detach",
        "--annotation",
        `io.kubernetes.cri.container-type=${type}`,
        "--annotation",
        `io.kubernetes.cri.sandbox-id=${pod}`,
      ]);
    await ctr.ctr(...annotated(pod, "sandbox"));
    await ctr.ctr(...annotated(web, "container"));
    const vms = await Array.fromAsync(Deno.readDir(`${ctr.dir}/lcow/vm`));
    assertEquals(vms.length, 1);
    await remove(web);
    assertMatch(
      await ctr.ctr("task", "ls"),
      new RegExp(`${pod}\\s+\\d+\\s+RUNNING`),
    );
    await remove(pod);
    await assertNothingLeft();
  },
});

Deno.test({
  name:
    "pains:14 containers whose VM was killed are stopped and can be deleted",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const id = newId();
    const process = ctr.spawn(
      ctr.runArgs(id, ["sh", "-c", "echo up; sleep 1000"]),
    );
    const reader = process.stdout.getReader();
    await reader.read();
    const agents =
      (await Array.fromAsync(Deno.readDir(`${ctr.dir}/lcow/vm`)))[0];
    const state = JSON.parse(
      await Deno.readTextFile(`${ctr.dir}/lcow/vm/${agents?.name}/system.json`),
    );
    Deno.kill(state.vm.pid, "SIGKILL");
    while (!(await reader.read()).done);
    await process.stderr.cancel();
    const { code } = await process.status;
    assertEquals(code === 0, false);
    await remove(id);
    await assertNothingLeft();
  },
});

Deno.test({
  name: "twenty containers that are started at once all do their work",
  timeout: 2 * limit, // It starts many containers.
  fn: async () => {
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    const ran = await Promise.all(
      numbers.map((n) => runContainer(["sh", "-c", `echo ${n}; exit ${n}`])),
    );
    assertEquals(
      ran,
      numbers.map((n) => ({ code: n, stdout: `${n}\n`, stderr: "" })),
    );
    await assertNothingLeft();
  },
});

Deno.test({
  name: "twenty containers in a row leave nothing behind",
  timeout: 2 * limit, // It starts many containers.
  fn: async () => {
    for (let i = 0; i < 20; i++) {
      const { code, stdout, stderr } = await runContainer(["echo", `${i}`]);
      assertEquals({ code, stdout, stderr }, {
        code: 0,
        stdout: `${i}\n`,
        stderr: "",
      });
    }
    await assertNothingLeft();
  },
});

Deno.test({
  name: "an id can be used again as soon as its container is deleted",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const id = newId();
    for (let i = 0; i < 5; i++) {
      const args = ctr.runArgs(id, ["echo", `run ${i}`], ["--rm"]);
      const { code, stdout, stderr } = await ctr.run(args);
      assertEquals([code, stdout, stderr], [0, `run ${i}\n`, ""]);
    }
    await assertNothingLeft();
  },
});
