/**
 * The words of `lcow`, in the order of the help.
 *
 * @module
 */

import { bundle } from "./bundle.ts";
import { exec } from "./exec.ts";
import { inspect } from "./inspect.ts";
import { logs } from "./logs.ts";
import { metrics } from "./metrics.ts";
import { prune } from "./prune.ts";
import { ps } from "./ps.ts";
import { share } from "./share.ts";
import { stacks } from "./stacks.ts";
import type { Word } from "./word.ts";

/** All words: a new one is a row here and a file beside this one. */
export const words: readonly Word[] = [
  ps,
  inspect,
  stacks,
  logs,
  metrics,
  bundle,
  exec,
  share,
  prune,
];
