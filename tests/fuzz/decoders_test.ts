/** Whatever stands in a message, reading it ends with a value or a classified error. */

import type { Codec } from "../../base/codec.ts";
import { ShimError } from "../../base/errors.ts";
import * as bridge from "../../bridge/messages.gen.ts";
import * as hcs from "../../hcs/documents.gen.ts";
import * as oci from "../../oci/spec.gen.ts";
import { damaged, Dice, memberNames, messageText } from "./mutations.ts";

/** Inputs over all decoders together. */
const inputs = 1_000_000;

function isCodec(value: unknown): value is Codec<never> {
  return typeof value === "object" && value !== null && "parse" in value;
}

/** The codecs of all messages that come from outside. */
function codecsOf(...modules: object[]): Codec<never>[] {
  return modules.flatMap((module) => Object.values(module)).filter(isCodec);
}

/** @throws When reading ends otherwise; what can be read can be written and read. */
function read(codec: Codec<never>, text: string): boolean {
  let value: never;
  try {
    value = codec.parse(text);
  } catch (error) {
    if (error instanceof ShimError && error.code === "InvalidArgument") {
      return false;
    }
    throw error;
  }
  codec.parse(codec.format(value));
  return true;
}

Deno.test("a million damaged messages are read or refused by every decoder", () => {
  const codecs = codecsOf(bridge, hcs, oci);
  const names = memberNames(codecs);
  const seed = Number(
    Deno.env.get("LCOW_FUZZ_SEED") ??
      crypto.getRandomValues(new Uint32Array(1))[0],
  );
  const dice = new Dice(seed);
  let readable = 0;
  for (let n = 0; n < inputs; n++) {
    const codec = codecs[n % codecs.length]!;
    let text = messageText(dice, codec, names);
    for (let times = dice.roll(3); times > 0; times--) {
      text = damaged(dice, text);
    }
    try {
      if (read(codec, text)) readable++;
    } catch (cause) {
      throw new Error(
        `LCOW_FUZZ_SEED=${seed}: input ${n} of ${codec.name}: ${
          text.slice(0, 500)
        }`,
        { cause },
      );
    }
  }
  console.log(
    `${inputs} inputs over ${codecs.length} decoders with seed ${seed}: ${readable} could be read`,
  );
});
