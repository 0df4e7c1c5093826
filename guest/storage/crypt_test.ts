import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { ProgramError } from "../program.ts";
import { Crypt, type CryptPorts } from "./crypt.ts";

/** A VM whose calls are recorded; single ports may be replaced. */
function fake(overrides: Partial<CryptPorts> = {}): {
  calls: string[];
  clock: FakeClock;
  crypt: Crypt;
} {
  const calls: string[] = [];
  const note = (text: string): Promise<void> =>
    Promise.resolve(void calls.push(text));
  const ports: CryptPorts = {
    run: (program, args) => note(`${program} ${args.join(" ")}`),
    makeFolder: () => Promise.resolve("/tmp/crypt"),
    makeKey: (path, size) => note(`key ${path} ${size}`),
    clear: (device, size) => note(`clear ${device} ${size}`),
    removeTree: (path) => note(`remove ${path}`),
    ...overrides,
  };
  const clock = new FakeClock();
  return { calls, clock, crypt: new Crypt(ports, clock, 5000) };
}

const key = "key /tmp/crypt/keyfile 1024";
const format = "cryptsetup --debug -v luksFormat /dev/sda --type luks2 " +
  "--key-file /tmp/crypt/keyfile --batch-mode --cipher aes-xts-plain64 " +
  "--integrity hmac-sha256 --integrity-no-wipe --sector-size 4096 " +
  "--pbkdf pbkdf2 --pbkdf-force-iterations 1000";
const open = "cryptsetup --debug -v luksOpen /dev/sda name " +
  "--key-file /tmp/crypt/keyfile --integrity-no-journal --persistent";
const clear = "clear /dev/mapper/name 4096";
const close = "cryptsetup --debug -v luksClose name";
const remove = "remove /tmp/crypt";

/** Fails for one command of cryptsetup. */
function failing(command: string, error: Error): Partial<CryptPorts> {
  return {
    run: (_program, args) =>
      args.includes(command) ? Promise.reject(error) : Promise.resolve(),
  };
}

Deno.test("guest:O4 an encrypted device is answered by its path, and its key is gone", async () => {
  const { calls, crypt } = fake();
  assertEquals(await crypt.open("/dev/sda", "name"), "/dev/mapper/name");
  assertEquals(calls, [key, format, open, clear, remove]);
});

Deno.test("guest:O3 failures of key, format and open are told with their cause, once", async () => {
  const cause = new ShimError("Aborted", "it broke");
  const makeKey = () => Promise.reject(cause);
  const rows: [Partial<CryptPorts>, string][] = [
    [{ makeKey }, "make a key"],
    [failing("luksFormat", cause), "make an encrypted format"],
    [failing("luksOpen", cause), "open the encrypted device"],
  ];
  for (const [ports, step] of rows) {
    const { calls, crypt } = fake(ports);
    const error = await assertRejects(
      () => crypt.open("/dev/sda", "name"),
      ShimError,
      `Cannot ${step} for disk "/dev/sda": it broke`,
    );
    assertEquals([error.cause, error.code], [cause, "Aborted"]);
    assertEquals(calls.at(-1), remove);
  }
});

Deno.test("guest:O5 a device is closed by its name; a failure is told with its cause", async () => {
  const { calls, crypt } = fake();
  await crypt.close("name");
  assertEquals(calls, [close]);
  const cause = new ProgramError("cryptsetup", 5, "Device name is in use.");
  const busy = fake(failing("luksClose", cause));
  const error = await assertRejects(
    () => busy.crypt.close("name"),
    ShimError,
    '"name"',
  );
  assertEquals(error.cause, cause);
});

Deno.test("a device that cannot be cleared is closed by its name", async () => {
  const { calls, crypt } = fake({
    clear: () => Promise.reject(new Error("eio")),
  });
  await assertRejects(() => crypt.open("/dev/sda", "name"), ShimError, "eio");
  assertEquals(calls, [key, format, open, close, remove]);
});

Deno.test("a device that another disk has is not closed when its open is refused", async () => {
  const calls: string[] = [];
  const { crypt } = fake({
    run: (_program, args) => {
      calls.push(args[2]!);
      return args[2] === "luksOpen"
        ? Promise.reject(new ProgramError("cryptsetup", 5, "exists"))
        : Promise.resolve();
    },
  });
  await assertRejects(() => crypt.open("/dev/sda", "name"), ShimError);
  assertEquals(calls, ["luksFormat", "luksOpen"]);
});

Deno.test("a disk that is not ready is tried again every 100 ms, up to the bound", async () => {
  let left = 3;
  const texts = ["No such file or directory", "No such device or address"];
  const notReady = (): Promise<void> => {
    if (left-- <= 0) return Promise.resolve();
    const text = texts[left] ?? "No such device";
    return Promise.reject(new ProgramError("cryptsetup", 4, text));
  };
  const { clock, crypt } = fake({ run: notReady });
  const opened = crypt.open("/dev/sda", "name");
  await clock.advance(300);
  assertEquals(await opened, "/dev/mapper/name");
  left = Infinity;
  const failed = assertRejects(
    () => crypt.open("/dev/sda", "name"),
    ShimError,
    "No such device",
  );
  await clock.advance(5000);
  await failed;
  assertEquals(clock.sleepers, 0);
});

Deno.test("the wait for a disk ends with the agent", async () => {
  const error = new ProgramError("cryptsetup", 4, "No such device");
  const { clock, crypt } = fake(failing("luksFormat", error));
  const quit = new AbortController();
  const opened = assertRejects(
    () => crypt.open("/dev/sda", "name", quit.signal),
    ShimError,
    "the VM ends",
  );
  while (clock.sleepers === 0) await clock.advance(0);
  quit.abort(new Error("the VM ends"));
  assert(await opened);
});
