import { assertEquals, assertThrows } from "@std/assert";
import { HResult, HResultError } from "../base/hresult.ts";
import { Container } from "./container.ts";
import { Containers } from "./containers.ts";

function newContainer(id: string): Container {
  return new Container({
    id,
    activityId: "",
    identity: { kind: "standalone", role: "standalone", sandboxId: id },
    bundle: `/run/gcs/c/${id}`,
    scratch: "",
    spec: { ociVersion: "1.1.0" },
  } as never);
}

function refusal(containers: Containers, id: string): HResultError {
  return assertThrows(() => containers.get(id), HResultError);
}

Deno.test("guest:D1 a container is found once it is created, in every later state", () => {
  const containers = new Containers();
  const container = newContainer("web");
  assertEquals(refusal(containers, "web").hresult, HResult.SystemNotFound);
  containers.add(container);
  const early = refusal(containers, "web");
  assertEquals(early.hresult, HResult.GuestInvalidState);
  assertEquals(early.message.includes("still being created"), true);
  for (const event of ["create", "start", "exit"] as const) {
    container.state.to(event);
    assertEquals(containers.get("web"), container);
  }
});
