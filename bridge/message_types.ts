/**
 * Message types of the bridge: class (bits 31–28), category (27–20), message
 * (19–8) and version (7–0).
 *
 * @module
 */

/** The protocol version that both sides speak. */
export const protocolVersion = 4;

/** Classes of messages: the four highest bits of a type. */
export const messageClass = {
  /** Host to guest. */
  request: 0x10000000,
  /** Guest to host; repeats the id of its request. */
  response: 0x20000000,
  /** Guest to host, id 0. */
  notification: 0x30000000,
} as const;

const classMask = 0xf0000000;

/** The class of a type. */
export function classOf(type: number): number {
  return (type & classMask) >>> 0;
}

/** The type of the response to a request; applied to unknown types as well. */
export function responseType(requestType: number): number {
  return (messageClass.response | (requestType & ~classMask)) >>> 0;
}

/** The only notification: a container has ended. */
export const containerNotificationType = 0x30100101;

/** Types of all requests, by their names. A guest answers the last three with "not implemented". */
export const requestTypes = {
  Create: 0x10100101,
  Start: 0x10100201,
  ShutdownGraceful: 0x10100301,
  ShutdownForced: 0x10100401,
  ExecuteProcess: 0x10100501,
  WaitForProcess: 0x10100601,
  SignalProcess: 0x10100701,
  ResizeConsole: 0x10100801,
  GetProperties: 0x10100901,
  ModifySettings: 0x10100a01,
  NegotiateProtocol: 0x10100b01,
  DumpStacks: 0x10100c01,
  DeleteContainerState: 0x10100d01,
  UpdateContainer: 0x10100e01,
  LifecycleNotification: 0x10100f01,
  ModifyServiceSettings: 0x10200101,
} as const;

const names = new Map<number, string>(
  Object.entries(requestTypes).map(([name, type]) => [type, name]),
);

/** What a type is called in errors and logs; a number when it has no name. */
export function typeName(type: number): string {
  const request = (messageClass.request | (type & ~classMask)) >>> 0;
  const name = names.get(request);
  if (type === containerNotificationType) return "ContainerNotification";
  if (name === undefined || classOf(type) === messageClass.notification) {
    return `0x${type.toString(16).padStart(8, "0")}`;
  }
  return classOf(type) === messageClass.response ? `${name} response` : name;
}

/**
 * What guests call a type in their "not supported" answer, for example
 * `ComputeSystemStartV1`; a decimal number when it has no name.
 */
export function guestTypeName(type: number): string {
  if (type === 0) return "None";
  if (type === containerNotificationType) return "ComputeSystemNotificationV1";
  const request = (messageClass.request | (type & ~classMask)) >>> 0;
  const name = names.get(request);
  const isKnown = name !== undefined && request < requestTypes.UpdateContainer;
  if (isKnown && type === request) return `ComputeSystem${name}V1`;
  if (isKnown && type === responseType(request)) {
    return `ComputeSystemResponse${name}V1`;
  }
  return String(type);
}
