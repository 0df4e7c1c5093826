import { assertEquals, assertRejects } from "@std/assert";
import { type ErrorCode, ShimError } from "../../base/errors.ts";
import { nullGuid } from "../../base/guid.ts";
import { Confidential } from "../storage/confidential.ts";
import { closedDoor, openDoor } from "./enforcers.ts";
import { hostDataReader } from "./host_data.ts";
import { type PolicyOptions, VmPolicy } from "./policy.ts";
import type { PolicyEnforcer } from "./questions.ts";
import { TableEnforcer } from "./table_enforcer.ts";

interface Fake {
  readonly policy: VmPolicy;
  readonly logging: boolean[];
}

function fake(options: Partial<PolicyOptions> = {}): Fake {
  const logging: boolean[] = [];
  const policy = new VmPolicy({
    initial: openDoor,
    confidential: new Confidential(),
    setLogging: (isAllowed) => void logging.push(isAllowed),
    ...options,
  });
  return { policy, logging };
}

async function refused(
  call: () => Promise<unknown>,
  code: ErrorCode,
  message: string,
): Promise<void> {
  const error = await assertRejects(call, ShimError, message);
  assertEquals(error.code, code);
}

/** `policy` in base64, and its SHA-256. */
const text = "cG9saWN5";
const digest =
  "823412d1eacb67956220e532959f0104603057c88704863ca38e7cd188fda812";

const dumpStacks = { name: "stack dump" } as const;

Deno.test("a policy is set once, even an empty one", async () => {
  const { policy, logging } = fake({ initial: closedDoor });
  await refused(() => policy.ask(dumpStacks), "PermissionDenied", "stack dump");
  // Two hosts' calls at once: one of them is the first.
  const again = { EnforcerType: "open_door" };
  await Promise.all([
    policy.set({}),
    refused(
      () => policy.set(again),
      "FailedPrecondition",
      "security policy has already been set",
    ),
  ]);
  assertEquals(await policy.ask(dumpStacks), {});
  assertEquals(policy.isConfidential, false);
  assertEquals(policy.contextFiles, {});
  assertEquals(logging, [true]);
});

Deno.test("a policy that nobody enforces is refused, changes nothing and can be followed", async () => {
  const confidential = new Confidential();
  const rows: [
    Parameters<VmPolicy["set"]>[0],
    ErrorCode,
    string,
  ][] = [
    [{ EncodedSecurityPolicy: text }, "NotImplemented", "Rego support"],
    [{ EnforcerType: "rego" }, "NotImplemented", "Rego support"],
    [
      { EnforcerType: "open_door", EncodedSecurityPolicy: text },
      "InvalidArgument",
      "open_door",
    ],
    [
      { EnforcerType: "standard" },
      "InvalidArgument",
      'unknown enforcer: "standard"',
    ],
    [{ EncodedSecurityPolicy: "a" }, "InvalidArgument", "no base64"],
    [{ EncodedSecurityPolicy: "cG9saWM" }, "InvalidArgument", "no base64"],
  ];
  const { policy, logging } = fake({ initial: closedDoor, confidential });
  for (const [settings, code, message] of rows) {
    await refused(() => policy.set(settings), code, message);
    await refused(() => policy.ask(dumpStacks), "PermissionDenied", "");
  }
  assertEquals(logging, []);
  assertEquals(confidential.isActive, false);
  await policy.set({});
  assertEquals(await policy.ask(dumpStacks), {});
});

Deno.test("a policy makes the VM confidential, and is shown to containers", async () => {
  const confidential = new Confidential();
  const policies: string[] = [];
  const { policy } = fake({
    confidential,
    rego: (bytes) => {
      policies.push(new TextDecoder().decode(bytes));
      return new TableEnforcer();
    },
  });
  policy.requireId("container", "web");
  await policy.set({
    EncodedSecurityPolicy: text,
    EncodedUVMReference: "cmVm",
    EncodedUVMHashEnvelopeReference: "ZW52",
  });
  assertEquals(policies, ["policy"]);
  assertEquals(confidential.isActive, true);
  assertEquals(policy.contextFiles, {
    "security-policy-base64": text,
    "reference-info-base64": "cmVm",
    "transparent-reference-info-base64": "ZW52",
  });
  for (
    const id of [nullGuid, "0123456789abcdefABCDEF".repeat(3).slice(0, 64)]
  ) {
    policy.requireId("container", id);
  }
  for (const kind of ["container", "virtual pod", "sandbox"] as const) {
    for (const id of ["", "web", "g".repeat(64), "a".repeat(63)]) {
      await refused(
        () => Promise.resolve().then(() => policy.requireId(kind, id)),
        "InvalidArgument",
        `invalid ${kind} id`,
      );
    }
  }
});

Deno.test("the log is silent when the policy says so", async () => {
  const rego = (): PolicyEnforcer =>
    new TableEnforcer({ "runtime logging": "deny" });
  const { policy, logging } = fake({ rego });
  await policy.set({ EncodedSecurityPolicy: text });
  assertEquals(logging, [false]);
});

Deno.test("a VM that was started with a policy takes no other", async () => {
  const empty =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const rows: [hostData: string, policy: string, isRight: boolean][] = [
    [digest, text, true],
    [digest, "", false],
    [empty, "", true],
    [empty, text, false],
  ];
  for (const [hostData, EncodedSecurityPolicy, isRight] of rows) {
    const { policy } = fake({
      rego: () => openDoor,
      hostData: () => Promise.resolve(Uint8Array.fromHex(hostData)),
    });
    const set = (): Promise<void> => policy.set({ EncodedSecurityPolicy });
    if (isRight) await set();
    else await refused(set, "PermissionDenied", hostData);
  }
});

Deno.test("where the processor vouches for a policy that cannot be read, none is taken", async () => {
  assertEquals(await hostDataReader("/no/such/device"), undefined);
  const hostData = await hostDataReader("/dev/null");
  const { policy } = fake({ hostData: hostData! });
  await refused(() => policy.set({}), "NotImplemented", "HOST_DATA");
});

Deno.test("whatever an enforcer throws is a refusal", async () => {
  for (const failure of [new Error("no such rule"), "no such rule"]) {
    const initial = { ask: () => Promise.reject(failure) };
    const { policy } = fake({ initial });
    await refused(
      () => policy.ask(dumpStacks),
      "PermissionDenied",
      "stack dump denied due to policy: no such rule",
    );
  }
});

Deno.test("a fragment goes to the enforcer that takes fragments", async () => {
  const enforcer = new TableEnforcer();
  const { policy } = fake({ rego: () => enforcer });
  const Fragment = btoa("fragment");
  // Without a policy nobody takes it.
  await refused(
    () => policy.addFragment({ Fragment }),
    "NotImplemented",
    "takes none",
  );
  await policy.set({ EncodedSecurityPolicy: text });
  const rows: [Parameters<VmPolicy["addFragment"]>[0], string][] = [
    [{}, "no COSE_Sign1 document"],
    [{ Fragment: "a" }, "no base64"],
    [{ Fragment, MediaType: "text/plain" }, '"text/plain"'],
  ];
  for (const [settings, message] of rows) {
    await refused(
      () => policy.addFragment(settings),
      "InvalidArgument",
      message,
    );
  }
  assertEquals(enforcer.fragments, []);
  const kinds = {
    "application/cose-x509+rego": undefined,
    "application/vnd.transparency-trust-list.v1+cose": undefined,
    "application/vnd.tcb-reference-info.v1+cose": "tcb-reference-info-base64",
    "application/vnd.platform-reference-info.v1+cose":
      "platform-reference-info-base64",
  };
  await policy.addFragment({ Fragment });
  for (const MediaType of Object.keys(kinds)) {
    await policy.addFragment({ Fragment, MediaType });
  }
  assertEquals(
    enforcer.fragments.map(({ mediaType }) => mediaType),
    ["application/cose-x509+rego", ...Object.keys(kinds)],
  );
  const document = new TextEncoder().encode("fragment");
  assertEquals(enforcer.fragments[0]?.document, document);
  assertEquals(policy.contextFiles, {
    "security-policy-base64": text,
    "tcb-reference-info-base64": Fragment,
    "platform-reference-info-base64": Fragment,
  });
});

Deno.test("a fragment that the enforcer refuses is not shown to containers", async () => {
  const rego = (): PolicyEnforcer => ({
    ...openDoor,
    addFragment: () => Promise.reject(new Error("bad signature")),
  });
  const { policy } = fake({ rego });
  await policy.set({ EncodedSecurityPolicy: text });
  await assertRejects(
    () =>
      policy.addFragment({
        Fragment: "YQ==",
        MediaType: "application/vnd.tcb-reference-info.v1+cose",
      }),
    Error,
    "bad signature",
  );
  assertEquals(policy.contextFiles, { "security-policy-base64": text });
});
