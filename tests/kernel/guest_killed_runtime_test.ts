import { assertEquals } from "@std/assert";
import { HResult, HResultError } from "../../base/hresult.ts";
import { toolEnv } from "../debian.ts";
import { GuestVm, mustSkip, type TestContainer } from "./guest_fixture.ts";

const ignore = await mustSkip("a killed runtime");

/** Commands of the runtime that the life of a container needs. */
const commands = ["create", "start", "exec", "delete"] as const;

/** When the runtime is killed: before it has done its work, or after. */
const moments = ["before", "after"] as const;

/**
 * The real runtime, which is killed where a file says so.
 *
 * @param path The real one.
 */
function mortal(path: string): string {
  return `#!/bin/sh
command=
for word; do
  case $word in
    create | start | exec | delete | update) command=$word && break ;;
  esac
done
dies() {
  [ "$(cat "$0.$1" 2>/dev/null)" = "$command" ] || return 0
  rm "$0.$1"
  kill -KILL $$
}
dies before
"${path}" "$@"
code=$?
dies after
exit $code
`;
}

async function findCrun(): Promise<string> {
  const { PATH = "" } = await toolEnv();
  for (const folder of PATH.split(":")) {
    const path = `${folder}/crun`;
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  throw new Error("There is no crun");
}

/** What failed; a success is undefined. */
async function failure(call: Promise<unknown>): Promise<unknown> {
  return await call.then(() => undefined, (error) => error);
}

/** A container runs, has a further process, and is killed. */
async function live(vm: GuestVm, container: TestContainer): Promise<void> {
  const { id } = container;
  await vm.create(container);
  const init = await vm.start(id);
  try {
    const process = await vm.exec(id, ["true"]);
    await process.close();
    assertEquals(await process.exited, 0);
  } finally {
    await init.close();
    await init.signal();
    assertEquals(await init.exited, 137);
  }
  await vm.guest.deleteContainerState(id);
}

/** The host takes everything back that may be there. */
async function takeBack(vm: GuestVm, { id }: TestContainer): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt++) {
    const error = await failure(vm.guest.deleteContainerState(id));
    const isUnknown = error instanceof HResultError &&
      error.hresult === HResult.SystemNotFound;
    if (isUnknown) break;
  }
  await vm.guest.modify({
    ResourceType: "CombinedLayers",
    RequestType: "Remove",
    Settings: { ContainerRootPath: `/run/gcs/pods/${id}/${id}/rootfs` },
  });
}

for (const command of commands) {
  for (const moment of moments) {
    Deno.test({
      name:
        `a runtime that is killed ${moment} its work of "${command}" leaves nothing, and the next container runs`,
      ignore,
      timeout: 60_000,
    }, async () => {
      const vm = await GuestVm.start([], mortal(await findCrun()));
      try {
        const trap = `${vm.folder}/bin/crun.${moment}`;
        await Deno.writeTextFile(trap, command);
        const first = { id: "first", args: ["sleep", "1000"] };
        const error = await failure(live(vm, first));
        // A delete is tried again, by force.
        const fails = command !== "delete";
        assertEquals(error instanceof HResultError, fails, String(error));
        await takeBack(vm, first);
        assertEquals(await vm.leftovers(), []);
        const second = { id: "second", args: ["sleep", "1000"] };
        await live(vm, second);
        await takeBack(vm, second);
        assertEquals(await vm.leftovers(), []);
      } finally {
        await vm.stop();
      }
    });
  }
}
