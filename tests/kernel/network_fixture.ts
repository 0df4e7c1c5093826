/**
 * Network adapters of a guest under test: pairs of virtual interfaces, one end
 * in the VM as `ethN`, the other one beside it as the router of its subnet.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import { toolEnv } from "../debian.ts";
import type { GuestProcess } from "../../bridge/guest.ts";
import { GuestVm, mustSkip, type TestContainer } from "./guest_fixture.ts";

/** Namespace of the host that tests use. */
export const namespaceId = "5e0e5a5a-0000-1000-8000-00000000000a";

/** Id of the adapter of a number. */
export function adapterId(number: number): string {
  return `0a0a0a0a-0000-1000-8000-${`${number}`.padStart(12, "0")}`;
}

/** Settings of the adapter of a number: 10.0.N.5 and fd00:N::5. */
export function adapter(
  number: number,
  settings: JsonObject = {},
): JsonObject {
  return {
    NamespaceID: namespaceId,
    ID: adapterId(number),
    IPConfigs: [
      { IPAddress: `10.0.${number}.5`, PrefixLength: 24 },
      { IPAddress: `fd00:${number}::5`, PrefixLength: 64 },
    ],
    ...settings,
  };
}

/** The sandbox of tests. */
export const pod: TestContainer = {
  id: "pod",
  args: ["sleep", "1000"],
  annotations: { "io.kubernetes.cri.container-type": "sandbox" },
  spec: { windows: { network: { networkNamespace: namespaceId } } },
};

/** The network of one guest. */
export class GuestNetwork {
  readonly #vm: GuestVm;

  /** @param vm The guest. */
  constructor(vm: GuestVm) {
    this.#vm = vm;
  }

  async #run(args: string[]): Promise<{ success: boolean; text: string }> {
    const { success, stdout, stderr } = await new Deno.Command("nsenter", {
      args,
      env: await toolEnv(),
    }).output();
    const decoder = new TextDecoder();
    return {
      success,
      text: decoder.decode(success ? stdout : stderr).trim(),
    };
  }

  /** Arguments that run a command in the network of the VM. */
  #inVm(): string[] {
    return ["-t", `${this.#vm.pid}`, "-m", "-p", "-n", "--"];
  }

  /**
   * Runs a command in the network of the VM, or in that of a process in it.
   *
   * @param script Words, separated by single blanks.
   */
  async run(script: string, pid?: number): Promise<string> {
    const within = pid === undefined
      ? []
      : ["nsenter", "-t", `${pid}`, "-n", "--"];
    const result = await this.#run([
      ...this.#inVm(),
      ...within,
      ...script.split(" "),
    ]);
    assertEquals(result.success, true, `${script}: ${result.text}`);
    return result.text;
  }

  /** Makes the interfaces of an adapter; its device is not there yet. */
  async makeLink(number: number): Promise<void> {
    const router = `router${number}`;
    await this.run(`ip link add eth${number} type veth peer name ${router}`);
    await this.run(`ip address add 10.0.${number}.1/24 dev ${router}`);
    await this.run(`ip address add fd00:${number}::1/64 dev ${router} nodad`);
    await this.run(`ip link set ${router} up`);
  }

  /** Makes the device of an adapter, which names its interface. */
  async makeDevice(number: number, path = "net"): Promise<void> {
    const device = `/sys/bus/vmbus/devices/${adapterId(number)}`;
    const folder = this.#vm.path(`${device}/${path}/eth${number}`);
    await Deno.mkdir(folder, { recursive: true });
  }

  /** Makes an adapter. */
  async plug(number: number, path?: string): Promise<void> {
    await this.makeLink(number);
    await this.makeDevice(number, path);
  }

  /** Asks the agent to add an adapter. */
  async add(settings: JsonObject): Promise<void> {
    await this.#modify("Add", settings);
  }

  /** Asks the agent to remove an adapter. */
  async remove(number: number): Promise<void> {
    await this.#modify("Remove", {
      NamespaceID: namespaceId,
      ID: adapterId(number),
    });
  }

  async #modify(RequestType: string, Settings: JsonObject): Promise<void> {
    const ResourceType = "Network";
    await this.#vm.guest.modify({ ResourceType, RequestType, Settings });
  }

  /** Addresses with a global scope, without those of the kernel. */
  async addresses(name: string, pid?: number): Promise<string[]> {
    const json = await this.run(`ip -j address show dev ${name}`, pid);
    const [{ addr_info }] = JSON.parse(json);
    return addr_info
      .filter(({ scope }: { scope: string }) => scope === "global")
      .map(({ local, prefixlen }: { local: string; prefixlen: number }) =>
        `${local}/${prefixlen}`
      );
  }

  /** Routes of a table that the agent added, as `ip` writes them. */
  async routes(pid?: number, table = "main"): Promise<string[]> {
    const lines: string[] = [];
    for (const version of [4, 6]) {
      const text = await this.run(
        `ip -${version} -o route show table ${table} proto boot`,
        pid,
      );
      lines.push(...text.split("\n").filter((line) => line !== ""));
    }
    return lines.map((line) => line.trim().replace(/ pref medium$/, ""));
  }

  /** Rules with the agent's priority. */
  async rules(pid: number): Promise<string[]> {
    const texts = await Promise.all(
      [4, 6].map((version) => this.run(`ip -${version} rule show`, pid)),
    );
    return texts.join("\n").split("\n")
      .filter((line) => line.startsWith("5:"))
      .map((line) => line.replaceAll("\t", " "));
  }

  /** One packet there and back. */
  async ping(address: string, pid: number): Promise<void> {
    await this.run(`busybox ping -c 1 -W 5 ${address}`, pid);
  }

  /** Names of the interfaces of the VM. */
  async links(): Promise<string[]> {
    const links = JSON.parse(await this.run("ip -j link show"));
    return links.map(({ ifname }: { ifname: string }) => ifname).sort();
  }

  /** How many network namespaces the agent holds; its own is one. */
  async held(): Promise<number> {
    const folder = `/proc/${this.#vm.pid}/fd`;
    let count = 0;
    for await (const { name } of Deno.readDir(folder)) {
      const target = await Deno.readLink(`${folder}/${name}`).catch(() => "");
      if (target.startsWith("net:[")) count++;
    }
    return count;
  }
}

const ignore = await mustSkip("networks of the guest");

/** One agent with its network. */
export interface Lab {
  /** The agent. */
  readonly vm: GuestVm;
  /** Its network. */
  readonly network: GuestNetwork;
}

/** A test in an agent of its own, which leaves nothing and holds nothing. */
export function networkTest(
  name: string,
  test: (lab: Lab) => Promise<void>,
): void {
  Deno.test({ name, ignore }, async () => {
    const vm = await GuestVm.start();
    const network = new GuestNetwork(vm);
    try {
      await test({ vm, network });
      assertEquals(await vm.leftovers(), []);
      assertEquals(await network.held(), 1);
    } finally {
      await vm.stop();
    }
  });
}

/** Ends a container and forgets it. */
export async function end(
  vm: GuestVm,
  init: GuestProcess,
  container = pod,
): Promise<void> {
  await init.signal();
  await init.close();
  await init.exited;
  await vm.remove(container);
}
