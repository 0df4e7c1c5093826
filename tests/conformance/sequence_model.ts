/**
 * A model of shared devices: what host and guest are asked when devices of a VM
 * are reserved, mapped and given back step by step. It is our own expectation
 * where the peer has a hole (host-controllers 6 and 7).
 *
 * @module
 */

import { formatJson, type JsonObject } from "../../base/json.ts";
import {
  classOf,
  type DeviceClass,
  keyOf,
  lunsPerController,
  scsi,
  type Thing,
  type Use,
  vpci,
} from "./device_classes.ts";
import { listOf, objectOf, objectsOf, textOf } from "./json.ts";

interface Claim {
  readonly thing: Thing;
  readonly use: Use;
  isHeld: boolean;
  wasMapped: boolean;
}

/** A step that fails. */
class Refusal extends Error {}

/** The devices of one VM. */
class Model {
  /** Whether the peer has a hole where these steps led. */
  isHole = false;
  readonly #class: DeviceClass;
  readonly #input: JsonObject;
  readonly #things: Thing[] = [];
  readonly #claims = new Map<string, Claim>();
  readonly #counts = { vm: 0, guest: 0 };
  #next = 0;
  #calls: JsonObject[] = [];

  constructor(deviceClass: DeviceClass, input: JsonObject) {
    this.#class = deviceClass;
    this.#input = input;
    const { bootDisk } = input;
    if (bootDisk === undefined) return;
    const { path = "", controller, lun } = objectOf(bootDisk);
    const place = Number(controller) * lunsPerController + Number(lun);
    const config = { HostPath: path, ReadOnly: true, Type: "VirtualDisk" };
    this.#things.push({
      ...this.#thing({ ...config, EVDType: "" }, place),
      isBootDisk: true,
      host: "added",
    });
  }

  /** Plays a step. @returns What is expected of it. */
  play(step: JsonObject): JsonObject {
    this.#calls = [];
    const result: JsonObject = {};
    try {
      const ref = textOf(step.ref);
      if (step.op === "reserve") this.#reserve(step);
      else if (step.op === "unmap") this.#unmap(ref);
      else {
        const path = this.#map(ref);
        if (path !== undefined) result.guestPath = path;
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      result.error = error.message;
    }
    return { ...result, calls: this.#calls };
  }

  #thing(config: JsonObject, place: number): Thing {
    return {
      config,
      key: keyOf(config),
      place,
      isBootDisk: false,
      uses: new Map(),
      host: "none",
    };
  }

  /** The lowest free place, or one that nobody had. */
  #place(): number {
    const count = this.#class.places?.(this.#input);
    if (count === undefined) return this.#next++;
    const taken = new Set(this.#things.map(({ place }) => place));
    const place = Array.from({ length: count }, (_, place) => place)
      .find((place) => !taken.has(place));
    if (place === undefined) throw new Refusal("no place is free");
    return place;
  }

  #call(call: JsonObject): void {
    const to = call.to === "vm" ? "vm" : "guest";
    const fails = listOf(this.#input.failures)
      .includes(`${to}#${++this.#counts[to]}`);
    const text = "injected failure";
    this.#calls.push(fails ? { ...call, fails: text } : call);
    if (fails) throw new Refusal(text);
  }

  #reserve(step: JsonObject): void {
    const [config, wanted] = this.#class.things(step);
    const isDenied = this.#input.noWritableFileShares === true &&
      step.share !== undefined && config.ReadOnly !== true;
    if (isDenied) throw new Refusal("writable shares are denied");
    const name = formatJson(this.#class.nameOf(config));
    let thing = this.#things.find((known) =>
      formatJson(this.#class.nameOf(known.config)) === name
    );
    if (thing === undefined) {
      thing = this.#thing(config, this.#place());
      this.#things.push(thing);
    } else if (thing.key !== keyOf(config)) throw new Refusal("other config");
    this.isHole ||= thing.isBootDisk;
    if (this.#class !== vpci && !["none", "added"].includes(thing.host)) {
      throw new Refusal("it failed before");
    }
    const useName = formatJson(this.#class.useOf(wanted));
    let use = thing.uses.get(useName);
    if (use === undefined) {
      use = {
        config: wanted,
        key: keyOf(wanted),
        references: 1,
        state: "reserved",
      };
      thing.uses.set(useName, use);
    } else if (use.key !== keyOf(wanted)) throw new Refusal("other use");
    else if (this.#class !== vpci && use.state === "failed") {
      throw new Refusal("its use failed before");
    } else use.references++;
    const claim = { thing, use, isHeld: true, wasMapped: false };
    this.#claims.set(textOf(step.as), claim);
  }

  #claim(ref: string): Claim {
    const claim = this.#claims.get(ref);
    if (claim === undefined) throw new Refusal("unknown reservation");
    return claim;
  }

  #map(ref: string): string | undefined {
    const claim = this.#claim(ref);
    const { thing, use } = claim;
    claim.wasMapped = true;
    if (thing.host === "none") {
      try {
        this.#call(this.#class.add(thing));
        thing.host = "added";
      } catch (error) {
        thing.host = "failed";
        this.isHole ||= this.#holders(thing) > 1;
        throw error;
      }
    } else if (thing.host !== "added") throw new Refusal("it failed before");
    if (use.state === "failed") throw new Refusal("its use failed before");
    if (use.state === "reserved") {
      try {
        this.#call(this.#class.begin(thing, use));
        use.state = "used";
      } catch (error) {
        use.state = "failed";
        this.isHole ||= this.#class === scsi;
        throw error;
      }
    }
    return this.#class.path?.(thing, use);
  }

  #holders(thing: Thing): number {
    return [...this.#claims.values()]
      .filter((claim) => claim.thing === thing).length;
  }

  #unmap(ref: string): void {
    const claim = this.#claim(ref);
    const { thing, use } = claim;
    if (!claim.wasMapped && (this.#class.leaks || this.#holders(thing) > 1)) {
      this.isHole = true;
    }
    if (claim.isHeld) {
      const isLast = use.references === 1;
      const end = this.#class.end?.(thing, use);
      if (isLast && use.state === "used" && end !== undefined) this.#call(end);
      use.references--;
      if (isLast) {
        thing.uses.delete(formatJson(this.#class.useOf(use.config)));
      }
      claim.isHeld = false;
    }
    if (thing.uses.size === 0 && !thing.isBootDisk) this.#take(thing);
    this.#claims.delete(ref);
    if (thing.uses.size === 0 && !thing.isBootDisk) {
      this.#things.splice(this.#things.indexOf(thing), 1);
    }
  }

  /** Takes a thing from the VM; a repeated call goes on where it stopped. */
  #take(thing: Thing): void {
    if (thing.host === "added") {
      const eject = this.#class.eject?.(thing);
      if (eject !== undefined) this.#call(eject);
      thing.host = "ejected";
    }
    if (thing.host === "ejected") this.#call(this.#class.remove(thing));
    thing.host = "none";
  }
}

/**
 * What is expected of a sequence of steps in which the peer has a hole.
 *
 * @param input The input of the case.
 * @param recorded The output of the case; its errors are kept where we fail, too.
 * @returns Undefined when the peer has none.
 */
export function sequenceWithoutHoles(
  input: JsonObject,
  recorded: JsonObject,
): JsonObject | undefined {
  const wanted = objectsOf(input.steps);
  const deviceClass = classOf(wanted);
  if (deviceClass === undefined) return undefined;
  const model = new Model(deviceClass, input);
  const theirs = objectsOf(recorded.steps);
  const steps = wanted.map((step, index) => {
    const { op = "", as, ref } = step;
    const { error, ...expected } = model.play(step);
    const their = theirs[index]?.error;
    return {
      op,
      ...(as === undefined ? {} : { as }),
      ...(ref === undefined ? {} : { ref }),
      ...expected,
      ...(error === undefined ? {} : { error: their ?? error }),
    };
  });
  return model.isHole ? { ...recorded, steps } : undefined;
}
