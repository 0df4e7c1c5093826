import { assert, assertEquals, assertRejects } from "@std/assert";
import { nullGuid } from "../../base/guid.ts";
import { HResultError } from "../../base/hresult.ts";
import type { JsonObject } from "../../base/json.ts";
import { GuestVm, mustSkip, readText } from "./guest_fixture.ts";

const ignore = await mustSkip("policies");

function setPolicy(
  vm: GuestVm,
  Settings: JsonObject,
  RequestType: "Add" | "Update" = "Add",
): Promise<void> {
  const ResourceType = "SecurityPolicy";
  return vm.guest.modify({ ResourceType, RequestType, Settings });
}

/** Runs a container from its layers to its removal. */
async function runContainer(vm: GuestVm): Promise<void> {
  const container = { id: "one", args: ["echo", "hello"] };
  await vm.create(container);
  await vm.guest.properties("one", ["Nope"]); // which is logged
  const init = await vm.start("one");
  assertEquals(await readText(init.stdout), "hello\n");
  await init.close();
  assertEquals(await init.exited, 0);
  await vm.remove(container);
  assertEquals(await vm.leftovers(), []);
}

Deno.test({
  name: "guest:P1 an empty policy is taken, once, and changes nothing",
  ignore,
  async fn() {
    const vm = await GuestVm.start();
    try {
      // Those that are not taken can be followed by one that is.
      const refusals: [JsonObject, string][] = [
        [{ EncodedSecurityPolicy: "cG9saWN5" }, "not built with Rego support"],
        [{ EnforcerType: "standard" }, 'unknown enforcer: "standard"'],
      ];
      for (const [settings, message] of refusals) {
        await assertRejects(
          () => setPolicy(vm, settings),
          HResultError,
          message,
        );
      }
      await setPolicy(vm, {});
      await assertRejects(
        () => setPolicy(vm, {}, "Update"),
        HResultError,
        "security policy has already been set",
      );
      await runContainer(vm);
    } finally {
      await vm.stop();
    }
  },
});

Deno.test({
  name:
    "a VM that starts with a closed door does and logs nothing until a policy is set",
  ignore,
  async fn() {
    const vm = await GuestVm.start(["-initial-policy-stance", "deny"]);
    let log = "";
    try {
      const share = {
        ResourceType: "MappedDirectory",
        RequestType: "Add",
        Settings: { MountPath: "/run/mounts/m1", Port: 564 },
      } as const;
      const container = { id: "one", args: ["true"] };
      const none = { stdin: false, stdout: false, stderr: false };
      const denials: [() => Promise<unknown>, string][] = [
        [() => vm.guest.modify(share), "plan9 mount"],
        [() => vm.createOn(container, "/run/scratch"), "default mounts"],
        [
          () => vm.guest.execute(nullGuid, { CommandArgs: ["true"] }, none),
          "exec in VM",
        ],
        [() => vm.guest.dumpStacks(), "stack dump"],
      ];
      for (const [call, name] of denials) {
        const message = `${name} denied due to policy`;
        await assertRejects(call, HResultError, message);
      }
      assertEquals(await vm.leftovers(), []);
      await setPolicy(vm, {});
      await runContainer(vm);
    } finally {
      log = await vm.stop();
    }
    const lines = log.trim().split("\n").map((line) => JSON.parse(line).msg);
    assert(lines.includes("Unknown property skipped"));
    assert(!lines.includes("Runtime chosen")); // what comes first
  },
});
