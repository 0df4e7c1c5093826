/**
 * A pretended Windows machine for the tests of `ffi/windows/io` and
 * `ffi/windows/system`.
 *
 * @module
 */

export { FakeIo } from "./bench.ts";
export { CallFailure, FakeCalls, staleError } from "./calls.ts";
export { FakeWindows } from "./machine.ts";
export { FakePeer } from "./peer.ts";
export { FakePort, turn } from "./port.ts";
export { FakeProcess } from "./process.ts";
export { NtStatus } from "./status.ts";
