/**
 * Whether this process may make the connections of a shim, and whether the
 * compute service answers it. What is made is closed again.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import type { Verdict } from "../../../hcs/checks.ts";
import {
  ProcessorTopology,
  ServiceProperties,
} from "../../../hcs/documents.gen.ts";
import type { ComputeHost } from "../../../hcs/ports.ts";
import { PipeListener } from "../io/pipe_listener.ts";
import { openSocket } from "../io/socket.ts";
import type { WindowsIo } from "../io/windows_io.ts";
import type { Ws2_32Symbols } from "../library/ws2_32.ts";

/** Where only administrators may make pipes, as the endpoint of a shim. */
const protectedPrefix = "\\\\.\\pipe\\ProtectedPrefix\\Administrators\\";

/**
 * Asks the compute service for the processors, as every create does.
 *
 * @throws {ShimError} What the compute service answered; Internal when that is no
 * number of processors.
 */
export async function judgeCompute(
  compute: Pick<ComputeHost, "serviceProperties">,
): Promise<Verdict> {
  const query = { PropertyTypes: ["ProcessorTopology"] };
  const { Properties: [topology] } = ServiceProperties.decode(
    await compute.serviceProperties(query),
  );
  if (topology === undefined) {
    throw new ShimError(
      "Internal",
      "The compute service does not tell the processors of this machine",
    );
  }
  const { LogicalProcessorCount } = ProcessorTopology.decode(topology);
  return { found: `it answers: ${LogicalProcessorCount} logical processors` };
}

/** Makes a Hyper-V socket. @throws {HResultError} When there are none. */
export function judgeSockets(ws2_32: Ws2_32Symbols): Verdict {
  ws2_32.closesocket(openSocket(ws2_32, "doctor"));
  return { found: "they can be made" };
}

/**
 * Makes a pipe where the endpoints of shims are.
 *
 * @throws {HResultError} When this process may not.
 */
export async function judgePipes(io: WindowsIo): Promise<Verdict> {
  const name = `containerd-shim-doctor-${crypto.randomUUID()}`;
  await PipeListener.open(io, protectedPrefix + name).close();
  return { found: "pipes for administrators can be made" };
}
