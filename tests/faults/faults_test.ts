import { assertEquals } from "@std/assert";
import { classify, type ErrorCode, messageOf } from "../../base/errors.ts";
import { type FaultKind, faultKinds, type Faults } from "./fault.ts";
import { Life, live } from "./life.ts";

type Failed = NonNullable<Faults["failed"]>;

/** Flows that do not mind whether the VM is there. */
const endings = ["stop container", "delete container", "stop VM"];

/** Whether nobody may notice a fault. */
function mayPass(kind: FaultKind, failed: Failed): boolean {
  const { name, flow, callee, isRelease } = failed;
  // The exit is unknown then; and the handle of the VM is closed anyway.
  if (name === "WaitForProcess" || name === "terminate") return true;
  if (kind === "error") return false;
  if (kind === "gone") return isRelease;
  if (kind === "no answer" && callee !== "guest") return false;
  return endings.includes(flow);
}

/** Classes that the error of a fault may have. */
function classesOf(
  kind: FaultKind,
  { callee, flow }: Failed,
  failing: string,
): readonly ErrorCode[] {
  if (kind === "error") {
    // What is ending refuses questions with this error.
    return flow === "statistics of the container"
      ? ["NotFound"]
      : ["PermissionDenied"];
  }
  if (kind === "gone") return ["NotFound"];
  if (kind === "no answer" && callee !== "guest") return ["DeadlineExceeded"];
  // What comes later finds a container that has stopped, or a client that waits.
  if (flow !== failing) {
    return ["Unavailable", "FailedPrecondition", "DeadlineExceeded"];
  }
  if (kind !== "VM exited" || callee === "guest" || callee === "client") {
    return kind === "no answer"
      ? ["Unavailable", "DeadlineExceeded"]
      : ["Unavailable"];
  }
  return [flow === "start VM" ? "Aborted" : "FailedPrecondition"];
}

/** Calls of a life in which nothing fails. */
async function countCalls(): Promise<number> {
  const life = new Life();
  assertEquals(await live(life), undefined);
  assertEquals([life.host.held, life.clock.sleepers], [[], 0]);
  return life.faults.calls.length;
}

/** Ends everything after the VM is of no use any more. */
async function buryVm(life: Life): Promise<void> {
  if (!life.host.hasBridge) {
    await life.wait(() => life.vm.exited); // nobody has to ask for it
  }
  await life.wait(() => life.vm.terminate());
  await life.wait(() => life.deleteContainer());
  await life.wait(() => life.endPod());
}

/** Whether a VM that has run cannot be used any more. */
function isUseless({ vm, host, faults }: Life): boolean {
  return vm.state === "Terminated" || !host.hasBridge ||
    faults.failed?.name === "WaitForProcess";
}

/** One fault; the life goes on after it. @returns False when there is no such call. */
async function survive(at: number, kind: FaultKind): Promise<boolean> {
  const life = new Life(at, kind);
  const result = await live(life);
  const { failed } = life.faults;
  if (failed === undefined) {
    assertEquals(result, undefined);
    return false;
  }
  const where =
    `${kind} at call ${at}, ${failed.callee} ${failed.name} of "${failed.flow}"`;
  if (result === undefined) {
    assertEquals(mayPass(kind, failed), true, `${where} was not noticed`);
  } else {
    const { flow, error } = result;
    const code = classify(error);
    const fits = classesOf(kind, failed, flow.name).includes(code);
    assertEquals(
      fits,
      true,
      `${where}: ${flow.name}: ${code} ${messageOf(error)}`,
    );
    const isBooted = !["create VM", "start VM"].includes(flow.name);
    if (flow.name === "stop VM") {
      // Nothing but to repeat it.
      assertEquals(await live(life, flow.name), undefined, where);
    } else if (isBooted && isUseless(life)) await buryVm(life);
    else {
      flow.failed?.(life);
      await life.wait(() => flow.undo?.(life) ?? Promise.resolve());
      const again = await live(life, flow.again ?? flow.name);
      assertEquals(again, undefined, where);
    }
  }
  assertEquals([life.host.held, life.clock.sleepers], [[], 0], where);
  assertEquals(await live(life), undefined, where);
  assertEquals([life.host.held, life.clock.sleepers], [[], 0], where);
  return true;
}

Deno.test("every call that fails, in every way, gives its class, leaves nothing, and the flow succeeds afterwards", async () => {
  const calls = await countCalls();
  let points = 0;
  for (const kind of faultKinds) {
    for (let at = 0; at < calls; at++) {
      if (await survive(at, kind)) points++;
    }
  }
  console.log(`pod: ${points} fault points in ${calls} calls`);
});
