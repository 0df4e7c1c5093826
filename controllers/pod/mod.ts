/**
 * Pods: the registry of their containers.
 *
 * @module
 */

export { PodController, type PodDependencies } from "./controller.ts";
