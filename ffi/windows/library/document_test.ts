import { assertEquals } from "@std/assert";
import type { Json } from "../../../base/json.ts";
import {
  listMember,
  member,
  numberMember,
  textMember,
  textsMember,
} from "./document.ts";

const document: Json = {
  ID: "exact",
  id: "other",
  Count: 7,
  Big: 2n ** 60n,
  Names: ["a", 7, "b", null],
  Nothing: null,
};

Deno.test("the exact name wins over one that differs in case", () => {
  assertEquals(member(document, "ID"), "exact");
  assertEquals(member(document, "id"), "other");
  assertEquals(member(document, "iD"), "exact");
  assertEquals(member(document, "toString"), undefined);
});

Deno.test("a member of a wrong type, or of no object, is as good as none", () => {
  assertEquals(textMember(document, "Count"), "");
  assertEquals(numberMember(document, "ID"), undefined);
  assertEquals(numberMember(document, "Big"), undefined);
  assertEquals(listMember(document, "Nothing"), []);
  for (const value of [undefined, null, "text", 7, ["ID"]]) {
    assertEquals(member(value, "ID"), undefined);
    assertEquals(textsMember(value, "Names"), []);
  }
});

Deno.test("lists are read whatever the case of their name; texts are picked", () => {
  assertEquals(listMember(document, "names"), ["a", 7, "b", null]);
  assertEquals(textsMember(document, "NAMES"), ["a", "b"]);
  assertEquals(numberMember(document, "count"), 7);
});
