/**
 * Makes the random tests of a run repeatable: what one run of the suite `unit`
 * finds, every run finds. The suite `fuzz` runs the same tests without it.
 *
 * @module
 */

import fc from "fast-check";

fc.configureGlobal({ seed: 20_260_101 });
