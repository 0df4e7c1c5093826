/**
 * What the generated protobuf codecs and service descriptions are made of.
 *
 * @module
 */

// @ts-types="protobufjs/minimal.js"
import protobuf from "./protobuf.gen.js";
import { ShimError } from "../base/errors.ts";

/** Reads the wire format; ends at the end of the message it reads. */
export type Reader = protobuf.Reader;

/** Writes the wire format. */
export type Writer = protobuf.Writer;

/** The codec of one message type. */
export interface MessageType<T> {
  /** Full name, as it stands in an `Any`. */
  readonly typeName: string;
  /** Writes a message; members left out are zero. */
  encode(message: Partial<T>): Uint8Array;
  /**
   * Reads a message; unknown fields are skipped. Members of type bytes are
   * views of `bytes`, which must not change while they are in use.
   *
   * @throws {ShimError} InvalidArgument when the bytes are not such a message.
   */
  decode(bytes: Uint8Array): T;
  /** Writes the fields of a message, without length. */
  write(message: Partial<T>, writer: Writer): void;
  /** Reads fields to the end of `reader`. */
  read(reader: Reader): T;
}

/** What a generated codec supplies. */
export interface MessageRules<T> {
  /** Writes the fields in the order of their definition. */
  write(message: Partial<T>, writer: Writer): void;
  /** Reads fields to the end of the reader. */
  read(reader: Reader): T;
}

/** Makes the codec of a message type. */
export function message<T>(
  typeName: string,
  rules: MessageRules<T>,
): MessageType<T> {
  return {
    typeName,
    write: rules.write,
    read: rules.read,
    encode(value) {
      const writer = new protobuf.Writer();
      rules.write(value, writer);
      return writer.finish();
    },
    decode(bytes) {
      try {
        // A Buffer would make every bytes member a Buffer, whose slice() aliases.
        const { buffer, byteOffset, byteLength } = bytes;
        const plain = new Uint8Array(buffer, byteOffset, byteLength);
        return rules.read(new protobuf.Reader(plain));
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new ShimError(
          "InvalidArgument",
          `Cannot decode ${typeName}: ${reason}`,
          { cause },
        );
      }
    },
  };
}

/** One method of a service. */
export interface MethodType<Req = unknown, Res = unknown> {
  /** What the client sends. */
  readonly request: MessageType<Req>;
  /** What the server answers. */
  readonly response: MessageType<Res>;
  /** True when the server answers with a stream of responses. */
  readonly serverStream?: boolean;
}

/** A ttrpc service. */
export interface ServiceType {
  /** Full name on the wire. */
  readonly name: string;
  /** The methods by their names on the wire. */
  readonly methods: Readonly<Record<string, MethodType>>;
}

/** Describes a method with one response. */
export function method<Req, Res>(
  request: MessageType<Req>,
  response: MessageType<Res>,
): MethodType<Req, Res> {
  return { request, response };
}

/** A method that answers with a stream of responses. */
export interface StreamType<Req = unknown, Res = unknown>
  extends MethodType<Req, Res> {
  /** Always true. */
  readonly serverStream: true;
}

/** Describes a method that answers with a stream. */
export function serverStream<Req, Res>(
  request: MessageType<Req>,
  response: MessageType<Res>,
): StreamType<Req, Res> {
  return { request, response, serverStream: true };
}

/** Describes a service. */
export function service<
  const M extends Readonly<Record<string, MethodType>>,
>(name: string, methods: M): { readonly name: string; readonly methods: M } {
  return { name, methods };
}
