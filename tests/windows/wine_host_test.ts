/**
 * The simulated host for programs under Wine, without Wine: a plain TCP client
 * stands in for the fake `ws2_32.dll`.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import {
  connDuplex,
  type Duplex,
  type DuplexListener,
  listenerDuplex,
} from "../../base/duplex.ts";
import { vsockServiceId } from "../../base/guid.ts";
import { HResultError } from "../../base/hresult.ts";
import { type Json, parseJson } from "../../base/json.ts";
import { SerialQueue } from "../../base/queue.ts";
import type { ComputeHost, GuestSockets } from "../../hcs/ports.ts";
import { guestProgram } from "../../sim/guest_program.ts";
import { wineComputeHost } from "../../sim/wine/paths.ts";
import {
  controller,
  machineDocument,
  testGuest,
  TestMachine,
} from "../kernel/sim_fixture.ts";
import { windowsPath } from "./setup.ts";
import { startWineHost, type WineHost } from "./wine_host.ts";

/** Hyper-V sockets as the fake DLL makes them. */
class RegistrySockets implements GuestSockets, AsyncDisposable {
  readonly #registry: Duplex;
  readonly #requests = new SerialQueue();

  private constructor(registry: Duplex) {
    this.#registry = registry;
  }

  static async connect({ env }: WineHost): Promise<RegistrySockets> {
    const port = Number(env.LCOW_HVSOCKET_PORT);
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    return new RegistrySockets(connDuplex(conn));
  }

  async #ask(line: string): Promise<void> {
    await this.#registry.write(new TextEncoder().encode(`${line}\n`));
    const answer = new Uint8Array(16);
    const n = await this.#registry.read(answer);
    assertEquals(new TextDecoder().decode(answer.subarray(0, n ?? 0)), "0\n");
  }

  async listen(runtimeId: string, port: number): Promise<DuplexListener> {
    const tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const listener = listenerDuplex(tcp);
    const service = vsockServiceId(port);
    const address = `${runtimeId} ${service} ${tcp.addr.port}`;
    await this.#requests.run(() => this.#ask(`listen ${address}`));
    return {
      accept: (signal) => listener.accept(signal),
      close: () => listener.close(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registry.close();
  }
}

/** A document whose paths are as a program under Wine writes them. */
function windowsDocument(): Json {
  const text = JSON.stringify(machineDocument());
  return parseJson(
    text.replaceAll(
      /"(\/[^"]*\/sim\/boot\/[^"]*)"/g,
      (_, path: string) => JSON.stringify(windowsPath(path)),
    ),
  );
}

async function inWine(
  test: (host: WineHost, compute: ComputeHost, dir: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "lcow-wine-" });
  try {
    await using host = await startWineHost({
      state: `${dir}/state`,
      guest: await guestProgram((name) =>
        name === "LCOW_SIM_GUEST" ? testGuest : Deno.env.get(name)
      ),
    });
    await test(host, wineComputeHost(host.host), dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a machine that is created with Windows paths dials the ports of the registry", () =>
  inWine(async (host, compute, dir) => {
    await using sockets = await RegistrySockets.connect(host);
    const system = await compute.create("a@vm", windowsDocument());
    const machine = await TestMachine.boot(sockets, system);
    assertEquals(await machine.arguments(), ["-v4", "-log-format", "json"]);
    await Deno.mkdir(`${dir}/disk`);
    await Deno.writeTextFile(`${dir}/disk/file`, "seen by both");
    await system.modify({
      ResourcePath: `VirtualMachine/Devices/Scsi/${controller}/Attachments/0`,
      RequestType: "Add",
      Settings: {
        Type: "VirtualDisk",
        Path: `\\\\?\\${windowsPath(`${dir}/disk`)}`,
      },
    });
    assertEquals(await machine.sh("cat /dev/sda/file"), "seen by both");
    assertEquals(
      await machine.sh("yes 0123456789 | head -n 20000 | wc -c"),
      "220000",
    );
    await machine.end();
  }));

Deno.test("a machine with a path of drive C: is not created", () =>
  inWine(async (_host, compute) => {
    const text = JSON.stringify(windowsDocument()).replaceAll("Z:", "C:");
    await assertRejects(
      () => compute.create("a@vm", parseJson(text)),
      HResultError,
      "ERROR_FILE_NOT_FOUND",
    );
    assertEquals(await compute.enumerate({}), []);
  }));
