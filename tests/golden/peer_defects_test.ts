import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import { claimsOf } from "../acceptance/test_names.ts";
import { listOf, objectsOf } from "../conformance/json.ts";
import { peerDefects, unknownIn } from "./peer_defects.ts";
import { goldenTest } from "./shared.ts";

const root = new URL("../../", import.meta.url).pathname;

/** Folders without tests of the project. */
const otherFolders = new Set([".cache", ".git", "dist", "node_modules"]);

function* testFiles(folder: string): Iterable<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}${name}`;
    if (isDirectory) {
      if (!otherFolders.has(name)) yield* testFiles(`${path}/`);
    } else if (name.endsWith("_test.ts")) yield path;
  }
}

const defects = /\bpeer:[a-z-]+(?= )/g;

/** The faults that names of tests claim to do better. */
function claimed(): Set<string> {
  const found = new Set<string>();
  for (const file of testFiles(root)) {
    const source = Deno.readTextFileSync(file);
    if (!source.includes("peer:")) continue;
    const { claims } = claimsOf(file, source, defects);
    for (const { id } of claims) found.add(id.replace("peer:", ""));
  }
  return found;
}

Deno.test("every fault of the peer has a regression test, and no test names another", () => {
  const ids = peerDefects.map(({ id }) => id);
  assertEquals([...claimed()].sort(), ids.toSorted());
});

for (
  const set of [
    "hcs-doc",
    "container-doc",
    "hcs-modify",
    "trace",
    "guest-agent",
  ]
) {
  goldenTest(
    `every fault that recordings of ${set} name is known`,
    set,
    (file, recording: JsonObject) => {
      const entries = [recording, ...objectsOf(recording.cases)]
        .flatMap(({ peerDefects }) => listOf(peerDefects)).map(String);
      assertEquals(entries.flatMap(unknownIn), [], file);
    },
  );
}

Deno.test("unknownIn() finds what stands beside a known fault", () => {
  const known = "Start of an unknown container succeeds.";
  assertEquals(unknownIn(known), []);
  assertEquals(unknownIn(`${known} It also explodes.`), ["It also explodes."]);
  assertEquals(unknownIn("It explodes."), ["It explodes."]);
});
