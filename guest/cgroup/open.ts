/**
 * The choice between the two versions.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { type CgroupLayout, cgroupRoot } from "./layout.ts";
import type { CgroupTree } from "./tree.ts";
import { CgroupV1 } from "./v1.ts";
import { CgroupV2 } from "./v2.ts";

/** The tree of control groups of a machine with this layout. */
export function cgroupTree(layout: CgroupLayout, clock: Clock): CgroupTree {
  return layout.version === 2
    ? new CgroupV2(layout.unified ?? cgroupRoot, clock)
    : new CgroupV1(layout, clock);
}
