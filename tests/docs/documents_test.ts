import { assertEquals } from "@std/assert";
import {
  containerAnnotations,
  cri,
  rejectedAnnotations,
  vmAnnotations,
} from "../../oci/annotations.ts";
import { codeSpans, documents, read, tableRows } from "./markdown.ts";
import { sourceTexts } from "./sources.ts";

/** Names in the first column of the tables below a heading. */
function named(text: string, heading: string): string[] {
  return tableRows(text, heading).flatMap(([first = ""]) => codeSpans(first));
}

Deno.test("docs/configuration.md names every annotation that the code knows", async () => {
  const text = await read("docs/configuration.md");
  assertEquals(
    named(text, "## Annotations of the sandbox").sort(),
    Object.values(vmAnnotations).sort(),
  );
  assertEquals(
    named(text, "## Annotations of a container").sort(),
    [...Object.values(cri), ...Object.values(containerAnnotations)].sort(),
  );
  const spans = new Set(codeSpans(text));
  assertEquals(rejectedAnnotations.filter((name) => !spans.has(name)), []);
});

Deno.test("docs/configuration.md names every runtime option", async () => {
  const text = await read("docs/configuration.md");
  const source = await read("shim/options.ts");
  const known = [...source.matchAll(/^ {4}\["(\w+)", /gm)]
    .map(([, name = ""]) => name);
  assertEquals(named(text, "## Options of the runtime").sort(), known.sort());
});

Deno.test("docs/configuration.md names every variable that the programs read", async () => {
  const text = await read("docs/configuration.md");
  const known = new Set<string>();
  for (const [path, source] of await sourceTexts()) {
    // Those of the guest's image and of tests are no configuration.
    if (/^(tests|image|guest\/init|controllers\/testing)\//.test(path)) {
      continue;
    }
    for (const [name] of source.matchAll(/\b(LCOW|HCSSHIM)_[A-Z_]+\b/g)) {
      known.add(name);
    }
  }
  assertEquals(named(text, "## Environment").sort(), [...known].sort());
});

Deno.test("texts that docs/troubleshooting.md quotes are in the code", async () => {
  const text = await read("docs/troubleshooting.md");
  const quoted = text.split("\n").filter((line) => line.startsWith("## "))
    .flatMap((heading) => tableRows(text, heading))
    .filter(([first = ""]) => !first.includes("(from containerd)"))
    .flatMap(([first = ""]) => codeSpans(first));
  const sources = [...(await sourceTexts()).values()].join("\n");
  assertEquals(quoted.filter((quote) => !sources.includes(quote)), []);
});

Deno.test("docs/rooms.md names every folder that it is about", async () => {
  const text = await read("docs/rooms.md");
  const unnamed: string[] = [];
  for (const room of ["", "ffi/windows/", "guest/", "shim/", "tests/"]) {
    const folder = new URL(`../../${room}`, import.meta.url);
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const isHidden = name.startsWith(".") || ["dist", "docs"].includes(name);
      if (!isDirectory || room === "" && isHidden) continue;
      if (!text.includes(`\`${name}/\``)) unnamed.push(`${room}${name}`);
    }
  }
  assertEquals(unnamed, []);
});

Deno.test("links between documents lead somewhere", async () => {
  const broken: string[] = [];
  for (const path of await documents()) {
    const text = await read(path);
    for (
      const [, target = ""] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)
    ) {
      if (/^[a-z]+:/.test(target)) continue;
      const base = path.slice(0, path.lastIndexOf("/") + 1);
      const { pathname } = new URL(`${base}${target}`, "file:///");
      try {
        await Deno.stat(new URL(`../..${pathname}`, import.meta.url));
      } catch {
        broken.push(`${path}: ${target}`);
      }
    }
  }
  assertEquals(broken, []);
});

Deno.test("every task that a document names exists, and README.md names every task", async () => {
  const { tasks } = JSON.parse(await read("deno.json"));
  const missing: string[] = [];
  for (const path of await documents()) {
    for (
      const [, name = ""] of (await read(path)).matchAll(
        /\bdeno(?:@[\d.]+)? task ([\w:]+)/g,
      )
    ) {
      if (!(name in tasks)) missing.push(`${path}: ${name}`);
    }
  }
  assertEquals(missing, []);
});
