import { prepare } from "./guest_machine.ts";
import { liveInMachine } from "./scenario.ts";

const image = await prepare();
if (typeof image === "string") console.log(`skip: no VM: ${image}`);

Deno.test({
  name:
    "guest:P5 guest:P10 guest:P11 guest:P12 guest:P13 guest:P14 guest:P15 containers live in a real VM with control groups of version 2",
  ignore: typeof image === "string",
  timeout: 280_000,
}, async () => {
  if (typeof image === "string") return;
  const options = { cgroup: 2, console: false, migrates: false } as const;
  await liveInMachine(image, options, "agent killed");
});
