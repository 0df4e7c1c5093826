import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { emptyNetwork } from "./network.ts";

Deno.test("the simulated host knows no namespace, and says what to do", async () => {
  const error = await assertRejects(
    () => emptyNetwork.namespace("a0"),
    ShimError,
    'Namespace ID "a0" not found: the simulated host has no network; leave windows.network.networkNamespace out',
  );
  assertEquals(error.code, "NotFound");
});

Deno.test("the simulated host has neither endpoints nor networks", async () => {
  const error = await assertRejects(
    () => emptyNetwork.endpoint("e1"),
    ShimError,
    'Endpoint ID "e1" not found',
  );
  assertEquals(error.code, "NotFound");
  assertEquals(await emptyNetwork.networks(), []);
});
