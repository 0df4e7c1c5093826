import { assert, assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { jsonLogger } from "../../base/log.ts";
import {
  type Asked,
  commandLineOf,
  documentInput,
  machineOf,
} from "../testing/document_input.ts";
import { hcsDocument } from "./document.ts";

const vhd = ["kernel", "rootfs.vhd"];

/** Arguments of the kernel, and those of its init. */
function parts(asked: Asked): [kernel: string, init: string] {
  const [kernel = "", init = ""] = commandLineOf(asked).split(" -- ");
  return [kernel, init];
}

Deno.test("host:N11 the root argument says how the root file system is found", () => {
  const root = (asked: Asked) =>
    parts(asked)[0].split(" initcall_blacklist=")[0];
  assertEquals(root({ files: vhd }), "root=/dev/sda ro rootwait init=/init");
  const verity = {
    dmVerityMode: "true",
    dmVerityCreateArgs: 'a "b" \\ c\td',
  };
  assertEquals(
    root({ files: vhd, annotations: verity }),
    'root=/dev/dm-0 dm-mod.create="a \\"b\\" \\\\ c\\td" init=/init',
  );
  assertEquals(parts({ annotations: verity })[0].includes("dm-mod"), false);
  const error = assertThrows(
    () => machineOf({ files: vhd, annotations: { dmVerityMode: "true" } }),
    ShimError,
    "DmVerityCreateArgs should be set",
  );
  assertEquals(error.code, "InvalidArgument");
});

Deno.test("host:N12 pci=off stands there unless assigned devices are enabled", () => {
  const has = (asked: Asked) => parts(asked)[0].split(" ").includes("pci=off");
  assertEquals(has({}), true);
  assertEquals(has({ annotations: { vpciEnabled: "true" } }), false);
  assertEquals(has({ annotations: { vpciEnabled: "maybe" } }), true);
});

Deno.test("host:N12 the agent gets the log level, and scrubs when that is said", () => {
  const agent = (options: Asked["options"] = {}) => parts({ options })[1];
  const base = "-e 1 /bin/vsockexec -e 109 /bin/gcs -v4 -log-format json";
  assertEquals(agent(), `${base} -loglevel info`);
  assertEquals(agent({ logLevel: "debug" }), `${base} -loglevel debug`);
  assertEquals(
    agent({ scrubLogs: true }),
    `${base} -loglevel info -scrub-logs=true`,
  );
  assertEquals(
    agent({ scrubLogs: false }),
    `${base} -loglevel info -scrub-logs=false`,
  );
});

Deno.test("host:N13 overlays, time, dumps and further arguments, in their order", () => {
  const annotations = {
    writableOverlayDirectories: "true",
    timeSyncDisable: "true",
    processDumpLocation: "/cores",
    extraExecCommandArgs: "-one  two",
  };
  assertEquals(
    parts({ files: vhd, annotations })[1],
    "-e 1 -w /bin/vsockexec -e 109 /bin/gcs -v4 -log-format json -loglevel info -disable-time-sync -core-dump-location /cores -one  two",
  );
});

Deno.test("host:N13 writable overlays mean nothing with a ramdisk, which is said", () => {
  const lines: string[] = [];
  const input = documentInput({
    annotations: { writableOverlayDirectories: "true" },
  });
  hcsDocument(input, jsonLogger((line) => lines.push(line)));
  assertEquals(lines.length, 1);
  assert(lines[0]?.includes("writable already"));
});

Deno.test("arguments of the kernel stand in their order, those of the user in the middle", () => {
  const [kernel] = parts({
    annotations: { kernelBootOptions: "a=1 b" },
    options: { vmProcessorCount: 3 },
  });
  assertEquals(
    kernel,
    "initcall_blacklist=virtio_vsock_init 8250_core.nr_uarts=0 panic=-1 quiet a=1 b pci=off nr_cpus=3 brd.rd_nr=0 pmtmr=0",
  );
});

Deno.test("with a serial console the kernel speaks, and a shell follows the agent", () => {
  const [kernel, init] = parts({
    annotations: { consolePipe: "\\\\.\\pipe\\c" },
  });
  assertEquals(
    kernel,
    "initcall_blacklist=virtio_vsock_init 8250_core.nr_uarts=1 8250_core.skip_txen_test=1 console=ttyS0,115200 pci=off nr_cpus=2 brd.rd_nr=0 pmtmr=0",
  );
  assertEquals(
    init,
    '-e 1 sh -c"/bin/vsockexec -e 109 /bin/gcs -v4 -log-format json -loglevel info& exec sh"',
  );
});

const migration: readonly [string | undefined, boolean][] = [
  [undefined, false],
  ["false", false],
  ["perhaps", false],
  ["true", true],
];

for (const [migrationSupport, isOn] of migration) {
  Deno.test(`host:N23 host:O6 with migration ${migrationSupport} the agent's socket ${isOn ? "comes back" : "stays"}`, () => {
    const asked: Asked = {
      annotations: {
        timeSyncDisable: "true",
        ...(migrationSupport === undefined ? {} : { migrationSupport }),
      },
      options: { logLevel: "trace" },
    };
    const again = isOn ? "-r " : "";
    assertEquals(
      parts(asked)[1],
      `-e 1 /bin/vsockexec ${again}-e 109 /bin/gcs -v4 -log-format json -loglevel trace -disable-time-sync`,
    );
    const { Devices } = machineOf(asked);
    assertEquals(Devices !== undefined && "Plan9" in Devices, !isOn);
  });
}
