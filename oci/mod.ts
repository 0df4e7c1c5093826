/**
 * OCI specifications: types, annotations, and the rules shared by host and
 * guest.
 *
 * @module
 */

export * from "./annotations.ts";
export * from "./classify.ts";
export * from "./devices.ts";
export * from "./expand.ts";
export * from "./guest_spec.ts";
export * from "./mounts.ts";
export * from "./spec.gen.ts";
