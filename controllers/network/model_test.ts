/**
 * The network against a model of it: the model foretells every call, its
 * outcome, and where the network is afterwards.
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { classify, ShimError } from "../../base/errors.ts";
import type { NetworkController } from "./controller.ts";
import { fakeEndpoint, networkOf, NetworkWorld } from "./testing.ts";

/** Endpoint ids in the order of their adapters. */
const order = ["e2", "e1", "e3"];

interface Foretold {
  readonly call: string;
  readonly fails: boolean;
}

/** The model. `fails` tells, call by call, which ones do; none beyond its end. */
class Model {
  state = "NotConfigured";
  /** Endpoint → whether the guest has yet to let go of its adapter. */
  readonly tracked = new Map<string, boolean>();
  readonly calls: Foretold[] = [];

  #call(call: string, fails: boolean[]): boolean {
    const fail = fails.shift() ?? false;
    this.calls.push({ call, fails: fail });
    return !fail;
  }

  #setup(fails: boolean[]): boolean {
    if (!this.#call("namespace", fails)) return false;
    if (!order.every(() => this.#call("endpoint", fails))) return false;
    return order.every((endpoint) => {
      if (!this.#call("vm Add", fails)) return false;
      this.tracked.set(endpoint, true);
      return this.#call("guest Add", fails);
    });
  }

  #teardown(fails: boolean[]): boolean {
    for (const [endpoint, isInGuest] of this.tracked) {
      if (isInGuest && !this.#call("guest Remove", fails)) continue;
      this.tracked.set(endpoint, false);
      if (this.#call("vm Remove", fails)) this.tracked.delete(endpoint);
    }
    return this.tracked.size === 0;
  }

  /** Plays an operation. @returns Its answer. */
  play(operation: "setup" | "teardown", fails: boolean[]): string {
    if (operation === "setup") {
      if (this.state !== "NotConfigured") return "FailedPrecondition";
      this.state = this.#setup(fails) ? "Configured" : "Invalid";
    } else {
      if (/NotConfigured|TornDown/.test(this.state)) return "ok";
      this.state = this.#teardown(fails) ? "TornDown" : "Invalid";
    }
    return this.state === "Invalid" ? "Internal" : "ok";
  }
}

/** A world whose calls come as the model foretells them, each after `turn`. */
class Real {
  readonly world = NetworkWorld.with(
    fakeEndpoint("e1"),
    fakeEndpoint("e2", { name: "eth0" }),
    fakeEndpoint("e3"),
  );
  readonly network: NetworkController = networkOf(this.world);

  constructor(foretold: Foretold[], turn: () => Promise<void>) {
    this.world.script.play = async (call) => {
      await turn();
      const next = foretold.shift();
      assertEquals(call, next?.call);
      if (next?.fails) throw new ShimError("Internal", "injected");
    };
  }

  /** @returns What it answers. */
  play(operation: "setup" | "teardown"): Promise<string> {
    return this.network[operation]().then(() => "ok", (error) => {
      if (error instanceof ShimError) return classify(error);
      throw error;
    });
  }

  check(model: Model): void {
    const { state, adapters } = this.network;
    assertEquals(
      [state, adapters.map(({ endpoint }) => endpoint.id).toSorted()],
      [model.state, [...model.tracked.keys()].toSorted()],
    );
    assertEquals(this.world.vmAdapters.size, model.tracked.size);
    assertEquals(model.calls, []);
  }
}

class Operation implements fc.AsyncCommand<Model, Real> {
  constructor(
    readonly name: "setup" | "teardown",
    readonly fails: boolean[],
  ) {}

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    const answer = model.play(this.name, [...this.fails]);
    assertEquals(await real.play(this.name), answer);
    real.check(model);
  }

  toString(): string {
    return `${this.name}(${this.fails.map((fails) => fails ? "✗" : "·")})`;
  }
}

/** At most this many calls has one operation. */
const mostCalls = 1 + 3 * order.length;

function operation(name: "setup" | "teardown"): fc.Arbitrary<Operation> {
  const fails = fc.array(fc.nat(5).map((n) => n === 0), {
    maxLength: mostCalls,
  });
  return fails.map((fails) => new Operation(name, fails));
}

const operations = [operation("setup"), operation("teardown")];

Deno.test("any sequence of setups and teardowns, with any failures, follows the model", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.commands(operations, { maxCommands: 12 }),
      (commands) =>
        fc.asyncModelRun(() => {
          const model = new Model();
          const real = new Real(model.calls, () => Promise.resolve());
          return { model, real };
        }, commands),
    ),
    { numRuns: 500 },
  );
});

Deno.test("operations at the same time follow the model in the order in which they came", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(...operations), { minLength: 2, maxLength: 6 }),
      fc.scheduler(),
      async (list, scheduler) => {
        const model = new Model();
        const real = new Real(
          model.calls,
          () => scheduler.schedule(Promise.resolve()),
        );
        const foretold = list.map(({ name, fails }) =>
          model.play(name, [...fails])
        );
        const answers = list.map(({ name }) => real.play(name));
        await scheduler.waitFor(Promise.all(answers));
        assertEquals(await Promise.all(answers), foretold);
        real.check(model);
      },
    ),
    { numRuns: 200 },
  );
});
