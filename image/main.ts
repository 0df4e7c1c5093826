/**
 * `deno task image [DIR] [KERNEL-PACKAGE]`: builds what a utility VM boots: the
 * compressed kernel `DIR/kernel` and the initial RAM disk `DIR/initrd.img` with
 * the agent and what it needs. Everything comes from Debian's packages, from npm
 * and from this checkout.
 *
 * @module
 */

import { buildImage, defaultKernel } from "./build.ts";

if (import.meta.main) {
  const [folder = "dist/image", kernel = defaultKernel] = Deno.args;
  await buildImage({ folder, kernel, say: (line) => console.log(line) });
}
