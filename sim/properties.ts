/**
 * Answers to property queries.
 *
 * @module
 */

import { messageOf } from "../base/errors.ts";
import type { Codec } from "../base/codec.ts";
import type { Json } from "../base/json.ts";
import {
  Properties,
  PropertyQuery,
  ServiceProperties,
} from "../hcs/documents.gen.ts";
import type { GroupUsage } from "./control_group.ts";
import { refusal } from "./hresults.ts";
import type { SystemRecord } from "./system_record.ts";

/** Size of the pages in which HCS counts a machine's memory. */
const pageSize = 4096;

/**
 * Reads a query strictly.
 *
 * @throws {HResultError} InvalidJson naming the path of what is wrong.
 */
export function readQuery<T>(codec: Codec<T>, query: Json): T {
  try {
    return codec.validate(query);
  } catch (error) {
    throw refusal("invalidDocument", messageOf(error), { cause: error });
  }
}

function propertyTypes(
  query: Json,
  known: readonly string[],
): readonly string[] {
  const { PropertyTypes: types = [] } = readQuery(PropertyQuery, query);
  for (const type of types) {
    if (known.includes(type)) continue;
    throw refusal("notSupported", `$.PropertyTypes: no property "${type}"`);
  }
  return types;
}

/** What can be told of a machine. */
export interface MachineFacts {
  /** The machine. */
  readonly record: SystemRecord;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What it uses; asked only when the query needs it. */
  readonly usage: () => Promise<GroupUsage>;
}

/** Nanoseconds in units of 100 ns. */
function units(nanoseconds: number): bigint {
  return BigInt(Math.floor(nanoseconds / 100));
}

function statistics(
  { record, now }: MachineFacts,
  { cpu }: GroupUsage,
): NonNullable<Properties["Statistics"]> {
  const started = record.startedAt ?? now;
  return {
    Timestamp: new Date(now).toISOString(),
    ContainerStartTime: new Date(started).toISOString(),
    Uptime100ns: BigInt(now - started) * 10_000n,
    Processor: {
      TotalRuntime100ns: units(cpu.total),
      RuntimeUser100ns: units(cpu.user),
      RuntimeKernel100ns: units(cpu.kernel),
    },
    Memory: {},
  };
}

/**
 * Answers HcsGetComputeSystemProperties.
 *
 * @throws {HResultError} InvalidJson or ERROR_NOT_SUPPORTED for the query.
 */
export async function machineProperties(
  query: Json,
  facts: MachineFacts,
): Promise<Json> {
  const types = propertyTypes(query, ["Basic", "Statistics", "Memory"]);
  const { id, owner, runtimeId, state } = facts.record;
  const answer: Properties = {
    Id: id,
    SystemType: "VirtualMachine",
    RuntimeOsType: "Linux",
    Owner: owner,
    RuntimeId: runtimeId,
    State: state,
  };
  if (types.includes("Statistics")) {
    answer.Statistics = statistics(facts, await facts.usage());
  }
  if (types.includes("Memory")) {
    const { memory } = await facts.usage();
    const pages = BigInt(Math.ceil(memory / pageSize));
    answer.Memory = {
      VirtualNodeCount: 1,
      VirtualMachineMemory: { AssignedMemory: pages },
    };
  }
  return Properties.encode(answer);
}

/**
 * Answers HcsGetServiceProperties.
 *
 * @param processors Logical processors of the host.
 * @throws {HResultError} InvalidJson or ERROR_NOT_SUPPORTED for the query.
 */
export function hostProperties(query: Json, processors: number): Json {
  const types = propertyTypes(query, ["ProcessorTopology"]);
  const rows = Array.from({ length: processors }, (_, index) => ({
    LpIndex: index,
    NodeNumber: 0,
    PackageId: 0,
    CoreId: index,
    RootVpIndex: index,
  }));
  return ServiceProperties.encode({
    Properties: types.map(() => ({
      LogicalProcessorCount: processors,
      LogicalProcessors: rows,
    })),
  });
}
