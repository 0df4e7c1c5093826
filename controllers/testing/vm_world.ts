/**
 * A VM controller with everything around it, for tests.
 *
 * @module
 */

import { FakeClock } from "../../base/clock.ts";
import { type Duplex, readFull } from "../../base/duplex.ts";
import { jsonLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { ScriptedPeer } from "../../bridge/scripted_peer.ts";
import { bridgePort } from "../../bridge/places.ts";
import { VmController } from "../vm/controller.ts";
import type { CreateVm } from "../vm/dependencies.ts";
import { entropyPort, logPort } from "../vm/kernel_command_line.ts";
import { FakeCompute } from "./fake_compute.ts";
import { FakeFiles } from "./fake_files.ts";
import { FakeSockets } from "./fake_sockets.ts";

/** What a booted guest holds. */
export interface BootedGuest {
  /** Its end of the bridge. */
  readonly bridge: ScriptedPeer;
  /** Its end of the log. */
  readonly log: Duplex;
  /** The random bytes that it got. */
  readonly entropy: Uint8Array;
}

/** A host with one VM. */
export class VmWorld {
  /** The compute service. */
  readonly compute = new FakeCompute();
  /** The VM's sockets. */
  readonly sockets = new FakeSockets();
  /** The host's files. */
  readonly files = new FakeFiles();
  /** The time. */
  readonly clock: FakeClock;
  /** The host's memory that the VM uses. */
  readonly memory = { workingSet: (): bigint => 4_096n, close: (): void => {} };
  /** The lines of the log. */
  readonly lines: Record<string, unknown>[] = [];
  /** The controller. */
  readonly vm: VmController;

  /**
   * Nothing is created yet.
   *
   * @param clock The time.
   */
  constructor(clock: FakeClock = new FakeClock()) {
    this.clock = clock;
    this.vm = this.newVm();
  }

  /** A further VM of this host. */
  newVm(): VmController {
    const { compute, sockets, files, clock } = this;
    return new VmController({
      host: {
        compute,
        sockets,
        files,
        platform: {
          arch: "amd64",
          build: 26100,
          cpus: 2,
          vmMemory: () => Promise.resolve(this.memory),
        },
      },
      log: jsonLogger((line) => this.lines.push(JSON.parse(line)), {
        level: "trace",
        scrub: false,
      }),
      clock,
      timeouts: defaultTimeouts,
    });
  }

  /** Creates the VM. */
  async create(request: Partial<CreateVm> = {}): Promise<void> {
    await this.vm.create({
      id: "pod1@vm",
      owner: "",
      bundle: "/bundle",
      annotations: {},
      devices: [],
      ...request,
    });
  }

  /** Starts the VM and plays its guest up to the end of the handshake. */
  async boot(): Promise<BootedGuest> {
    const started = this.vm.start();
    const guest = await this.dial();
    await guest.bridge.welcome();
    await started;
    return guest;
  }

  /** The guest's first dials, as soon as the VM is being started. */
  async dial(): Promise<BootedGuest> {
    await this.starting();
    const entropy = new Uint8Array(512);
    await readFull(this.sockets.dial(entropyPort), entropy);
    const log = this.sockets.dial(logPort);
    const bridge = new ScriptedPeer(this.sockets.dial(bridgePort));
    return { bridge, log, entropy };
  }

  /** Resolves when the compute service is asked for the start. */
  async starting(): Promise<void> {
    while (this.compute.system.script.of("start").length === 0) {
      await this.clock.advance(0);
    }
  }
}
