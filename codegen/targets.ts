/**
 * What is generated from what.
 *
 * @module
 */

import type { JsonTarget } from "./json_output.ts";

/** The files of JSON messages. */
export const jsonTargets: readonly JsonTarget[] = [
  {
    schemas: "schema/bridge",
    output: "bridge/messages.gen.ts",
    base: "../base/",
    about: "Every message of the bridge between host and guest.",
  },
];
