import { assertEquals } from "@std/assert";
import {
  classOf,
  guestTypeName,
  messageClass,
  requestTypes,
  responseType,
  typeName,
} from "./message_types.ts";
import { rpcOfType, rpcs } from "./rpcs.ts";

Deno.test("responseType() exchanges the class and nothing else, for unknown types too", () => {
  assertEquals(responseType(requestTypes.Create), 0x20100101);
  assertEquals(responseType(requestTypes.ModifyServiceSettings), 0x20200101);
  assertEquals(responseType(0xffffffff), 0x2fffffff);
  assertEquals(classOf(0xffffffff), 0xf0000000);
  assertEquals(classOf(0x30100101), messageClass.notification);
});

Deno.test("guestTypeName() names what guests name, and prints other types in decimal", () => {
  assertEquals(
    [0, 0x10100501, 0x20100501, 0x30100101, 0x10100f01, 0x10102001]
      .map(guestTypeName),
    [
      "None",
      "ComputeSystemExecuteProcessV1",
      "ComputeSystemResponseExecuteProcessV1",
      "ComputeSystemNotificationV1",
      "269487873",
      "269492225",
    ],
  );
});

Deno.test("typeName() is for people", () => {
  assertEquals(
    [0x10100201, 0x20100201, 0x30100101, 0x20102001].map(typeName),
    ["Start", "Start response", "ContainerNotification", "0x20102001"],
  );
});

Deno.test("the table of calls and the table of types agree", () => {
  for (const [name, { type }] of Object.entries(rpcs)) {
    assertEquals(Reflect.get(requestTypes, name), type);
    assertEquals(rpcOfType(type), name);
  }
  assertEquals(rpcOfType(requestTypes.UpdateContainer), undefined);
});
