import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import { traceCreateDeviations } from "./trace_create_deviations.ts";
import {
  done,
  expectedBy,
  failed,
  judgedTrace,
  podSpec,
  specOf,
  type TestCall,
  type TestEvent,
} from "./trace_testing.ts";
import { wholeUndo } from "./trace_undo.ts";

function expected(ours: string, steps: readonly (TestCall | TestEvent)[]) {
  return expectedBy(traceCreateDeviations, ours, judgedTrace(steps));
}

const notFound = { code: "NotFound", error: "" };

/** A create that only we perform. */
const undone = { ...done, host: [], guest: [], undone: wholeUndo };

Deno.test("a container whose create failed is not found, whatever is asked of it", () => {
  const rule = "is not there";
  const kill: TestCall = ["Kill", "c", { ...done, guest: [{ name: "x" }] }];
  const { calls } = expected(rule, [["Create", "c", failed("no")], kill])!;
  assertEquals(calls[1], {
    seq: 1,
    method: "Kill",
    reply: notFound,
    host: [],
    guest: [],
  });
  assertEquals(expected(rule, [["Create", "c", done], kill]), undefined);
  assertEquals(expected(rule, [kill]), undefined);
  const again: TestCall[] = [["Create", "c", failed("no")], [
    "Create",
    "c",
    done,
  ]];
  assertEquals(expected(rule, [...again, kill]), undefined);
});

Deno.test("a container whose create failed is created again, and undone", () => {
  const rule = "created again";
  const exists = failed('pod "p" already exists');
  const { calls } = expected(rule, [
    ["Create", "c", failed("no")],
    ["Create", "c", exists],
  ])!;
  assertEquals(calls[1], { seq: 1, method: "Create", ...undone });
  const present: TestCall[] = [["Create", "c", done], ["Create", "c", exists]];
  assertEquals(expected(rule, present), undefined);
});

const adapter = (RequestType: string, more: JsonObject = {}) => ({
  name: "ModifySettings",
  Request: {
    RequestType,
    ResourceType: "Network",
    Settings: { NamespaceID: "n", ID: "i", ...more },
  },
});

Deno.test("a failed create takes the network of its pod down", () => {
  const rule = "goes with its first container";
  const added = adapter("Add", { MacAddress: "m" });
  const { calls } = expected(rule, [
    ["Create", "p", { ...failed("no"), guest: [added] }],
  ])!;
  assertEquals(calls[0]!.guest, [added, adapter("Remove")]);
  const whole = [added, adapter("Remove")];
  assertEquals(
    expected(rule, [["Create", "p", { ...failed("no"), guest: whole }]]),
    undefined,
  );
  assertEquals(
    expected(rule, [["Create", "p", { ...done, guest: [added] }]]),
    undefined,
  );
});

Deno.test("a create with an id that is taken asks for nothing", () => {
  const rule = "is taken is refused";
  const asks: TestCall = ["Create", "c", {
    ...failed("exists", "AlreadyExists"),
    host: [{ call: "grant" }],
    guest: [{ name: "x" }],
  }];
  const { calls } = expected(rule, [["Create", "c", done], asks])!;
  assertEquals([calls[1]!.host, calls[1]!.guest], [[], []]);
  assertEquals(expected(rule, [asks]), undefined);
});

Deno.test("a container without CRI's annotations is created, and undone", () => {
  const rule = "pod of one";
  const create: TestCall = ["Create", "a", failed('container type ""')];
  const plain = specOf("a", { ociVersion: "1.1.0" });
  assertEquals(expected(rule, [plain, create])!.calls, [
    { seq: 0, method: "Create", ...undone },
  ]);
  assertEquals(expected(rule, [podSpec("a", "p"), create]), undefined);
  assertEquals(expected(rule, [create]), undefined); // nothing is known of it
});

Deno.test("a pod without a network is created, and undone", () => {
  const rule = "no network is named";
  const spec = (windows: JsonObject) =>
    specOf("p", {
      windows,
      annotations: {
        "io.kubernetes.cri.container-type": "sandbox",
        "io.kubernetes.cri.sandbox-id": "p",
      },
    });
  const create: TestCall = ["Create", "p", failed("no network namespace")];
  for (const windows of [{}, { network: {} }]) {
    assertEquals(expected(rule, [spec(windows), create])!.calls, [
      { seq: 0, method: "Create", ...undone },
    ]);
  }
  for (const network of [{ networkNamespace: "n" }, { endpointList: ["e"] }]) {
    assertEquals(expected(rule, [spec({ network }), create]), undefined);
  }
});

Deno.test("options of a foreign type do not refuse a create", () => {
  const rule = "foreign type";
  const create = (type_url: string): TestCall => [
    "Create",
    "c",
    failed(`type with url ${type_url}: not found`),
    { options: { type_url } },
  ];
  assertEquals(expected(rule, [create("nope")])!.calls, [
    { seq: 0, method: "Create", ...undone },
  ]);
  const own = create("containerd.runhcs.v1.Options");
  assertEquals(expected(rule, [own]), undefined);
});

Deno.test("a single file is named in the document", () => {
  const rule = "<share>/<name>";
  const document = (source: string) => ({
    name: "Create",
    ContainerConfig: { OciSpecification: { mounts: [{ source }] } },
  });
  const share = (Settings: JsonObject) => ({ configuration: { Settings } });
  const create = (settings: JsonObject): TestCall => ["Create", "c", {
    ...done,
    host: [share({ Name: "1", ...settings })],
    guest: [document("/run/mounts/plan9/1"), { name: "x" }],
  }];
  const file = create({ AllowedFiles: ["a.ini"] });
  assertEquals(expected(rule, [file])!.calls[0]!.guest, [
    document("/run/mounts/plan9/1/a.ini"),
    { name: "x" },
  ]);
  assertEquals(expected(rule, [create({})]), undefined);
});
