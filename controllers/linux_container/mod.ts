/**
 * Linux containers: layers, mounts, life cycle.
 *
 * @module
 */

export type { ContainerOptions } from "./annotations.ts";
export {
  type ContainerPid,
  type CreateContainer,
  LinuxContainer,
} from "./controller.ts";
export type { ContainerDependencies, ContainerIds } from "./dependencies.ts";
export {
  type ContainerEvent,
  type ContainerState,
  containerStates,
} from "./states.ts";
