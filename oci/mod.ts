/**
 * OCI specifications: types, annotations, and the rules shared by host and
 * guest.
 *
 * @module
 */

// Of other rooms: what the signatures below name.
export type { Codec } from "../base/codec.ts";
export type { Member, Members, ObjectCodec } from "../base/codec_shapes.ts";
export { type ErrorCode, ShimError } from "../base/errors.ts";
export type { Json, JsonObject } from "../base/json.ts";

export * from "./annotations.ts";
export * from "./classify.ts";
export * from "./devices.ts";
export * from "./expand.ts";
export * from "./guest_spec.ts";
export * from "./mounts.ts";
export * from "./spec.gen.ts";
