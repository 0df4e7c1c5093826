import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { ComputeSystemDocument } from "../../hcs/documents.gen.ts";
import {
  type Asked,
  documentInput,
  machineOf,
} from "../testing/document_input.ts";
import { policyRequest } from "./confidential.ts";
import { hcsDocument } from "./document.ts";

/** Base64 of `package policy`. */
const policy = "cGFja2FnZSBwb2xpY3k=";

/** Base64 of the SHA-256 of `package policy`. */
const digest = "bt9DkfT5xGPvg6Jg/pzYYsCm5zRVDGY34dTlvlz+bTA=";

type Named = NonNullable<Asked["annotations"]>;

function isolated(annotations: Named = {}, more: Asked = {}): Asked {
  return {
    files: ["kernel.vmgs", "rootfs.vhd"],
    ...more,
    annotations: { securityPolicy: policy, ...annotations },
  };
}

const service = {
  BindSecurityDescriptor: "D:P(A;;FA;;;WD)",
  ConnectSecurityDescriptor: "D:P(A;;FA;;;SY)(A;;FA;;;BA)",
  AllowWildcardBinds: true,
};

Deno.test("pains:1 no VM of whatever kind outlives the last handle to it", () => {
  const kinds: readonly Asked[] = [
    {},
    { files: ["kernel", "rootfs.vhd"] },
    { annotations: { allowOvercommit: "false" } },
    isolated(),
  ];
  for (const kind of kinds) {
    const { document } = hcsDocument(documentInput(kind));
    assertEquals(document.ShouldTerminateOnLastHandleClosed, true);
  }
});

Deno.test("host:N17 an isolated VM has secure boot, a guest state and its own rules for sockets", () => {
  const { document, sandboxOptions, copies } = hcsDocument(
    documentInput(isolated()),
  );
  assertEquals(document.SchemaVersion, { Major: 2, Minor: 5 });
  const written = ComputeSystemDocument.encode(document);
  const { VirtualMachine } = written as {
    VirtualMachine: Record<string, unknown>;
  };
  assertEquals(VirtualMachine.Chipset, {
    Uefi: {
      ApplySecureBootTemplate: "Apply",
      SecureBootTemplateId: "1734c6e8-3154-4dda-ba5f-a874cc483422",
    },
  });
  assertEquals(VirtualMachine.ComputeTopology, {
    Memory: { SizeInMB: 1024n }, // not overcommitted
    Processor: { Count: 2 },
  });
  assertEquals(VirtualMachine.GuestState, {
    GuestStateFilePath: "C:\\bundle\\kernel.vmgs",
    GuestStateFileType: "FileMode",
    ForceTransientState: true,
  });
  assertEquals(VirtualMachine.SecuritySettings, {
    Isolation: { IsolationType: "SecureNestedPaging", LaunchData: digest },
  });
  const { HvSocket, Scsi } = document.VirtualMachine.Devices ?? {};
  assertEquals(HvSocket?.HvSocketConfig, {
    DefaultBindSecurityDescriptor: "D:P(A;;FA;;;WD)",
    DefaultConnectSecurityDescriptor: "D:P(A;;FA;;;SY)(A;;FA;;;BA)",
    ServiceTable: {
      "00000001-facb-11e6-bd58-64006a7986d3": service,
      "0000006d-facb-11e6-bd58-64006a7986d3": service,
      "40000000-facb-11e6-bd58-64006a7986d3": service,
      "40000001-facb-11e6-bd58-64006a7986d3": service,
    },
  });
  const [first] = Object.values(Scsi ?? {});
  assertEquals(first?.Attachments?.["0"]?.Path, "C:\\bundle\\rootfs.vhd");
  assertEquals(sandboxOptions.fullyPhysicallyBacked, true);
  assertEquals(copies, [
    { from: "C:\\boot\\kernel.vmgs", to: "C:\\bundle\\kernel.vmgs" },
    { from: "C:\\boot\\rootfs.vhd", to: "C:\\bundle\\rootfs.vhd" },
  ]);
});

Deno.test("host:N17 further ports join the table; our own ports cannot be closed by an annotation", () => {
  const table = "io.microsoft.virtualmachine.hv-socket.service-table.";
  const agentLog = "0000006d-facb-11e6-bd58-64006a7986d3";
  const other = "12345678-facb-11e6-bd58-64006a7986d3";
  const { Devices } = machineOf(isolated({ extraVsockPorts: "100,109" }, {
    others: {
      [table + agentLog]: '{"Disabled":true}',
      [table + other]: '{"Disabled":true}',
    },
  }));
  const services = Devices?.HvSocket?.HvSocketConfig?.ServiceTable ?? {};
  assertEquals(services[agentLog], service);
  assertEquals(services["00000064-facb-11e6-bd58-64006a7986d3"], service);
  assertEquals(services[other], { Disabled: true });
  assertEquals(Object.keys(services).length, 6);
});

Deno.test("host:N17 HclEnabled is sent when it was said, also when it is false", () => {
  const hcl = (hclEnabled: string) =>
    machineOf(isolated({ hclEnabled })).SecuritySettings?.Isolation?.HclEnabled;
  assertEquals(
    [hcl("true"), hcl("0"), hcl("sure")],
    [true, false, undefined],
  );
});

Deno.test("host:N17 custom files are taken from the boot directory, the root disk under its usual name", () => {
  const { copies } = hcsDocument(documentInput(isolated({
    guestStateFile: "own.vmgs",
    dmVerityRootfsVhd: "own.vhd",
  }, { files: ["own.vmgs", "own.vhd"] })));
  assertEquals(copies, [
    { from: "C:\\boot\\own.vmgs", to: "C:\\bundle\\own.vmgs" },
    { from: "C:\\boot\\own.vhd", to: "C:\\bundle\\rootfs.vhd" },
  ]);
});

const missing: readonly [string, readonly string[] | undefined][] = [
  ['the GuestState vmgs file "C:\\boot\\kernel.vmgs" was not found', [
    "rootfs.vhd",
  ]],
  ['the DM Verity VHD file "C:\\boot\\rootfs.vhd" was not found', [
    "kernel.vmgs",
  ]],
  ['boot_files_root_path "C:\\boot" not found', undefined],
];

for (const [text, files] of missing) {
  Deno.test(`host:N17 an isolated VM needs its files: ${text}`, () => {
    const error = assertThrows(
      () => machineOf(isolated({}, { files })),
      ShimError,
      text,
    );
    assertEquals(error.code, "NotFound");
  });
}

Deno.test("host:N17 devices, console, NUMA, kernel arguments and persistent memory mean nothing to an isolated VM", () => {
  const device = { id: "PCIP\\A\\1", idType: "vpci" };
  const asked = isolated({
    consolePipe: "no pipe",
    numaMaxProcessorsPerNode: "2",
    vpmemMaximumCount: "16",
    preferredRootfsType: "floppy",
    dmVerityMode: "true",
    vpciEnabled: "true",
  }, { devices: [device, device] });
  assertEquals(machineOf(asked), machineOf(isolated()));
});

for (const securityPolicy of ["not base64!", "cGFja2FnZQ", "=", "cA==cA=="]) {
  Deno.test(`a policy that is not base64 is refused: ${securityPolicy}`, () => {
    const error = assertThrows(
      () => machineOf(isolated({ securityPolicy })),
      ShimError,
      "digest of the security policy",
    );
    assertEquals(error.code, "InvalidArgument");
  });
}

Deno.test("host:N18 without the hardware the document is the ordinary one, the guest enforces all the same", () => {
  const annotations = {
    securityPolicy: policy,
    noSecurityHardware: "true",
    securityPolicyEnforcer: "standard",
    uvmReferenceInfoFile: "",
    uvmHashEnvelopeReferenceInfoFile: "hash.cose",
  };
  const { document, sandboxOptions } = hcsDocument(
    documentInput({ annotations }),
  );
  assertEquals(document, hcsDocument(documentInput()).document);
  assertEquals(sandboxOptions.confidential, {
    securityPolicy: policy,
    enforcer: "standard",
    referenceInfoFile: "",
    hashEnvelopeFile: "hash.cose",
  });
  assertThrows(
    () =>
      machineOf({ annotations: { ...annotations, vpmemMaximumCount: "1" } }),
    ShimError,
    "vPMem",
  );
});

Deno.test("without a policy nothing is enforced; names have defaults", () => {
  const confidential = (annotations: Named) =>
    hcsDocument(documentInput({ annotations })).sandboxOptions.confidential;
  assertEquals(confidential({ securityPolicyEnforcer: "rego" }), undefined);
  assertEquals(
    confidential({ securityPolicy: policy, noSecurityHardware: "1" }),
    {
      securityPolicy: policy,
      enforcer: "rego",
      referenceInfoFile: "reference_info.cose",
      hashEnvelopeFile: "reference_info_hash_envelope.cose",
    },
  );
});

Deno.test("policyRequest() leaves out what the host does not have", () => {
  const config = { enforcer: "rego", securityPolicy: policy };
  assertEquals(policyRequest(config, { reference: "cg==", hashEnvelope: "" }), {
    ResourceType: "SecurityPolicy",
    RequestType: "Add",
    Settings: {
      EnforcerType: "rego",
      EncodedSecurityPolicy: policy,
      EncodedUVMReference: "cg==",
    },
  });
});
