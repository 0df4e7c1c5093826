import { assert, assertEquals, assertRejects } from "@std/assert";
import type { FakeClock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { PendingFiles } from "../../base/pending_files.ts";
import { jsonLogger, silentLogger } from "../../base/log.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import {
  addAssignedDevices,
  type AssignedDeviceOptions,
} from "./assigned_devices.ts";

/** Nodes cannot be made without rights, so these are those of the machine. */
const dev = "/dev";

const id = "5c1b5c1b-0000-4000-8000-00000000abcd";

function specWith(...devices: [id: string, idType: string][]): Spec {
  return {
    ociVersion: "1.1.0",
    linux: {},
    windows: {
      devices: devices.map(([id, idType]) => ({ id, idType })),
    },
  };
}

/** A bus with one device, to which `/dev/null` and `/dev/zero` belong. */
interface Bus {
  readonly sys: string;
  readonly clock: FakeClock;
  readonly options: AssignedDeviceOptions;
  /** Ids that were looked for. */
  readonly found: string[];
  /** Makes the driver of a node appear at a device. */
  attach(numbers: string, device: string): Promise<void>;
}

async function withBus(test: (bus: Bus) => Promise<void>): Promise<void> {
  const sys = await Deno.realPath(await Deno.makeTempDir());
  using files = new PendingFiles();
  const { clock } = files;
  const found: string[] = [];
  try {
    await Deno.mkdir(`${sys}/dev/char`, { recursive: true });
    await Deno.mkdir(`${sys}/devices/1234:00:00.0`, { recursive: true });
    await Deno.symlink("devices/1234:00:00.0", `${sys}/link`);
    await test({
      sys,
      clock,
      found,
      async attach(numbers, device) {
        const folder = `${sys}/devices/${device}/mem`;
        await Deno.mkdir(folder, { recursive: true });
        await Deno.symlink(folder, `${sys}/dev/char/${numbers}`);
      },
      options: {
        pci: {
          find: (id) => {
            found.push(id);
            return Promise.resolve(`${sys}/link`);
          },
        },
        ...{ clock, dev, sys },
        timeout: 60_000,
        log: silentLogger,
      },
    });
  } finally {
    await Deno.remove(sys, { recursive: true });
  }
}

for (const idType of ["vpci", "vpci-instance-id"]) {
  Deno.test(`7.4 a device of type ${idType} brings all its nodes, with rules`, () =>
    withBus(async ({ options, attach, found }) => {
      await attach("1:3", "1234:00:00.0");
      await attach("1:5", "1234:00:00.0");
      await attach("1:7", "1234:00:00.01"); // begins alike, but is another one
      const spec = specWith([id, idType]);
      await addAssignedDevices(spec, options);
      assertEquals(found, [id]);
      const { devices = [], resources } = spec.linux!;
      assertEquals(devices.map(({ path }) => path).sort(), [
        "/dev/null",
        "/dev/zero",
      ]);
      const rules = resources?.devices ?? [];
      assertEquals(rules.map(({ minor }) => minor).sort(), [3n, 5n]);
      for (const { allow, type, access, major } of rules) {
        assertEquals([allow, type, access, major], [true, "c", "rwm", 1n]);
      }
    }));
}

Deno.test("7.4 gpus are left to their hook, unknown types are told", () =>
  withBus(async ({ options, found }) => {
    const lines: string[] = [];
    const log = jsonLogger((line) => void lines.push(line), { level: "warn" });
    const spec = specWith([id, "gpu"], ["x", "class"]);
    await addAssignedDevices(spec, { ...options, log });
    assertEquals(found, []);
    assertEquals(spec.linux, {});
    assertEquals(lines.length, 1);
    assert(lines[0]!.includes('"class"'));
  }));

/** Turns the clock until a task has ended, never during a look. */
async function turn(clock: FakeClock, task: Promise<unknown>): Promise<void> {
  let over = false;
  task.then(() => over = true, () => over = true);
  while (!over) await clock.advance(clock.sleepers < 2 ? 0 : 500);
}

Deno.test("7.4 nodes are waited for, looking every 500 ms", () =>
  withBus(async ({ options, attach, clock }) => {
    const spec = specWith([id, "vpci"]);
    const start = clock.now();
    const adding = addAssignedDevices(spec, options);
    while (clock.sleepers < 2) await clock.advance(0);
    await attach("1:3", "1234:00:00.0");
    await clock.advance(499);
    assertEquals(spec.linux?.devices, undefined);
    await turn(clock, adding);
    assertEquals(spec.linux?.devices?.map(({ path }) => path), ["/dev/null"]);
    assert(clock.now() - start < 5_000);
  }));

Deno.test("7.4 a device without a node is an error after 60 s", () =>
  withBus(async ({ options, clock, sys }) => {
    const start = clock.now();
    const none = { ...options, dev: `${sys}/devices` };
    const adding = assertRejects(
      () => addAssignedDevices(specWith([id, "vpci"]), none),
      ShimError,
      id,
    );
    await turn(clock, adding);
    assertEquals((await adding).code, "DeadlineExceeded");
    assert(clock.now() - start >= 60_000 && clock.now() - start < 61_000);
  }));

Deno.test("7.4 what the bus says about a device is the error", () =>
  withBus(async ({ options }) => {
    const pci = { find: () => Promise.reject(new Error("no GUID")) };
    await assertRejects(
      () => addAssignedDevices(specWith(["x", "vpci"]), { ...options, pci }),
      Error,
      "no GUID",
    );
  }));
