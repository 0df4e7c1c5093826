import { prepare } from "./guest_machine.ts";
import { liveInMachine } from "./scenario.ts";

const image = await prepare();
if (typeof image === "string") console.log(`skip: no VM: ${image}`);

Deno.test({
  name: "containers live in a real VM with control groups of version 1",
  ignore: typeof image === "string",
  timeout: 280_000,
}, async () => {
  if (typeof image === "string") return;
  await liveInMachine(image, { cgroup: 1, console: true, migrates: true });
});
