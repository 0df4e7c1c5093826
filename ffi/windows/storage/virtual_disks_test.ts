import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { FakeClock } from "../../../base/clock.ts";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { jsonLogger } from "../../../base/log.ts";
import { defaultTimeouts } from "../../../base/timeouts.ts";
import { ScriptedVirtDisk } from "../../mock/scripted_virtdisk.ts";
import { blockingSlots } from "../library/native_calls.ts";
import type { VirtDiskSymbols } from "../library/virtdisk.ts";
import { VirtualDisks } from "./virtual_disks.ts";

const path = "C:\\bundle é\\scratch.vhdx";
const gigabyte = 1n << 30n;

/** Disks over a scripted DLL; one of 20 GiB exists unless the test says otherwise. */
function setUp(existing = 20n * gigabyte) {
  const library = new ScriptedVirtDisk();
  if (existing > 0n) library.disks.set(path, existing);
  const clock = new FakeClock();
  const lines: string[] = [];
  const disks = new VirtualDisks(library, {
    clock,
    slots: blockingSlots(4),
    log: jsonLogger((line) => lines.push(line)),
  });
  const leftovers = () => [
    ...library.leftovers(),
    ...(clock.sleepers === 0 ? [] : ["timers"]),
  ];
  return { library, clock, lines, disks, leftovers };
}

Deno.test("create() makes a dynamic VHDX by version 2, and closes it", async () => {
  const { library, disks, leftovers } = setUp(0n);
  await disks.create(path, 20n * gigabyte);
  assertEquals(library.disks.get(path), 20n * gigabyte);
  assertEquals(library.called, ["CreateVirtualDisk", "CloseHandle"]);
  assertEquals(library.calls[0]!.args, [
    path,
    "03000000" + // DeviceId: VHDX
    "ec4a98ecf9a0e947901f71415a66345b", // VendorId: Microsoft
    0n, // access: none
    0n, // flags: dynamic
    0n, // provider's flags
    "02000000" + "00000000" + // Version, padding
    "00".repeat(16) + // UniqueId: a new one
    "0000000005000000" + // MaximumSize
    "00001000" + // BlockSizeInBytes: 1 MiB
    "00".repeat(128 - 36), // sectors, parent and source: default and none
  ]);
  assertEquals(leftovers(), []);
});

Deno.test("create() of a disk that exists fails with AlreadyExists, and leaves it", async () => {
  const { library, disks, leftovers } = setUp();
  const error = await assertRejects(
    () => disks.create(path, gigabyte),
    HResultError,
    `Cannot create the disk "${path}": ERROR_FILE_EXISTS (0x80070050)`,
  );
  assertEquals(error.code, "AlreadyExists");
  assertEquals(library.disks.get(path), 20n * gigabyte);
  assertEquals(leftovers(), []);
});

Deno.test("grow() opens for writing, asks for the size and resizes", async () => {
  const { library, disks, leftovers } = setUp();
  await disks.grow(path, 40n * gigabyte);
  assertEquals(library.disks.get(path), 40n * gigabyte);
  assertEquals(library.calls.map(({ symbol, args }) => [symbol, args.at(-1)]), [
    ["OpenVirtualDisk", "02000000" + "00000000" + "00".repeat(20)],
    ["GetVirtualDiskInformation", "01000000" + "00".repeat(28)],
    ["ResizeVirtualDisk", "01000000" + "00000000" + "000000000a000000"],
    ["CloseHandle", library.calls[1]!.args[0]],
  ]);
  assertEquals(library.calls[0]!.args[1], "00".repeat(20), "any type");
  assertEquals(library.calls[1]!.args[1], 32n, "room for the answer");
  assertEquals(leftovers(), []);
});

Deno.test("grow() refuses to shrink, and leaves a disk of the same size alone", async () => {
  const { library, disks, leftovers } = setUp();
  const error = await assertRejects(
    () => disks.grow(path, gigabyte),
    ShimError,
    `Cannot grow the disk "${path}" to 1073741824 bytes: it has 21474836480, and what lies beyond would be lost`,
  );
  assertEquals(error.code, "InvalidArgument");
  await disks.grow(path, 20n * gigabyte);
  assert(!library.called.includes("ResizeVirtualDisk"));
  assertEquals(library.disks.get(path), 20n * gigabyte);
  assertEquals(leftovers(), []);
});

Deno.test("size() opens only to ask: a VM may have the disk", async () => {
  const { library, disks, leftovers } = setUp();
  assertEquals(await disks.size(path), 20n * gigabyte);
  assertEquals(
    library.calls[0]!.args.at(-1),
    "02000000" + "01000000" + "00".repeat(20),
  );
  assertEquals(leftovers(), []);
});

for (const bytes of [0n, -512n, 1000n]) {
  Deno.test(`a size of ${bytes} bytes is refused without a call`, async () => {
    const { library, disks } = setUp();
    for (const call of ["create", "grow"] as const) {
      const error = await assertRejects(
        () => disks[call](path, bytes),
        ShimError,
        `its size of ${bytes} bytes is not a positive multiple of 512`,
      );
      assertEquals(error.code, "InvalidArgument");
    }
    assertEquals(library.calls, []);
  });
}

Deno.test("grow() and size() of a disk that does not exist fail with NotFound", async () => {
  const { disks, leftovers } = setUp(0n);
  for (
    const call of [() => disks.grow(path, gigabyte), () => disks.size(path)]
  ) {
    const error = await assertRejects(
      call,
      HResultError,
      `the disk "${path}": ERROR_FILE_NOT_FOUND (0x80070002)`,
    );
    assertEquals(error.code, "NotFound");
  }
  assertEquals(leftovers(), []);
});

/** Which calls each method makes. */
const methods: [
  string,
  (disks: VirtualDisks, signal?: AbortSignal) => Promise<unknown>,
  (keyof VirtDiskSymbols)[],
][] = [
  [
    "create",
    (disks, signal) => disks.create(`${path}2`, gigabyte, signal),
    ["CreateVirtualDisk"],
  ],
  [
    "grow",
    (disks, signal) => disks.grow(path, 40n * gigabyte, signal),
    ["OpenVirtualDisk", "GetVirtualDiskInformation", "ResizeVirtualDisk"],
  ],
  [
    "size",
    (disks, signal) => disks.size(path, signal),
    ["OpenVirtualDisk", "GetVirtualDiskInformation"],
  ],
];
for (const [name, call, symbols] of methods) {
  for (const symbol of symbols) {
    Deno.test(`${name}(): ${symbol} fails, lasts too long or lacks; every handle is closed`, async () => {
      const { library, clock, disks, leftovers } = setUp();
      for (
        const [code, text, error] of [
          [112, "ERROR_DISK_FULL (0x80070070)", "ResourceExhausted"],
          [32, "ERROR_SHARING_VIOLATION (0x80070020)", "FailedPrecondition"],
          [
            0xc03a0015,
            "ERROR_VIRTDISK_NOT_VIRTUAL_DISK (0xC03A0015)",
            "InvalidArgument",
          ],
        ] as const
      ) {
        library.on(symbol, { hresult: code });
        const refused = await assertRejects(() => call(disks), HResultError);
        assertStringIncludes(refused.message, `: ${text}`);
        assertEquals(refused.code, error);
        assertEquals(leftovers(), []);
      }

      const { promise: gate, resolve } = Promise.withResolvers<void>();
      library.on(symbol, { gate });
      const late = assertRejects(
        () => call(disks),
        ShimError,
        "timeout waiting for virtdisk.dll (240 s)",
      );
      await clock.advance(defaultTimeouts.systemCall);
      assertEquals((await late).code, "DeadlineExceeded");
      resolve();
      await clock.advance(0);
      assertEquals(leftovers(), []);

      const asBefore = (): void => {
        library.disks.clear();
        library.disks.set(path, 20n * gigabyte);
      };
      asBefore();
      const { promise: gone, resolve: returned } = Promise.withResolvers<
        void
      >();
      library.on(symbol, { gate: gone });
      const controller = new AbortController();
      const reason = new ShimError("Canceled", "the client went away");
      const rejected = assertRejects(
        () => call(disks, controller.signal),
        ShimError,
      );
      await clock.advance(0);
      controller.abort(reason);
      assertStrictEquals(await rejected, reason);
      returned();
      await clock.advance(0);
      assertEquals(leftovers(), []);

      asBefore();
      library.lack(symbol);
      const missing = await assertRejects(
        () => call(disks),
        ShimError,
        `virtdisk.dll of this version of Windows has no function ${symbol}`,
      );
      assertEquals(missing.code, "NotImplemented");
      assertEquals(leftovers(), []);
    });
  }

  Deno.test(`${name}(): a handle that cannot be closed is logged, and fails nothing`, async () => {
    const { library, lines, disks } = setUp();
    library.on("CloseHandle", { hresult: 6 });
    await call(disks);
    assertEquals(lines.length, 1);
    assertStringIncludes(lines[0]!, "Cannot close a virtual disk");
  });
}
