/**
 * The other side of a bridge, played frame by frame by a test.
 *
 * @module
 */

import { type Duplex, memoryPair } from "../base/duplex.ts";
import { isJsonObject, type JsonObject, parseJson } from "../base/json.ts";
import { ShimError } from "../base/errors.ts";
import { silentLogger as log } from "../base/log.ts";
import { type ConnectionOptions, GuestConnection } from "./connection.ts";
import { encodeFrame, type Frame, FrameReader } from "./frames.ts";
import { responseType } from "./message_types.ts";

/** A received frame with its decoded payload. */
export interface ReceivedFrame extends Frame {
  /** The payload. */
  readonly body: JsonObject;
}

/** Nothing that a test sends is too large for the encoder. */
const noLimit = 2 ** 31;

/** Sends whatever a test likes, and hands out what arrives. */
export class ScriptedPeer {
  /** The peer's end of the stream. */
  readonly stream: Duplex;
  readonly #reader: FrameReader;

  /** @param stream The peer's end of the stream. */
  constructor(stream: Duplex) {
    this.stream = stream;
    this.#reader = new FrameReader(stream, noLimit);
  }

  /** Sends one frame; a text goes as it is. */
  async send(
    type: number,
    id: number | bigint,
    body: JsonObject | string,
  ): Promise<void> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    await this.stream.write(
      encodeFrame(type, BigInt(id), text, { limit: noLimit, lineFeed: false }),
    );
  }

  /** Sends bytes given in hex; spaces and line feeds between them are for people. */
  async sendHex(hex: string): Promise<void> {
    await this.stream.write(Uint8Array.fromHex(hex.replaceAll(/\s/g, "")));
  }

  /** The next frame. @throws {ShimError} DataLoss when the stream has ended. */
  async receive(): Promise<ReceivedFrame> {
    const frame = await this.#reader.next();
    if (frame === undefined) {
      throw new ShimError("DataLoss", "The other side sent nothing more");
    }
    const body = frame.text === "" ? {} : parseJson(frame.text);
    return { ...frame, body: isJsonObject(body) ? body : {} };
  }

  /** True when the other side ends the stream without sending anything. */
  async isEnded(): Promise<boolean> {
    return await this.#reader.next() === undefined;
  }

  /** Answers a request. */
  async answer(request: Frame, body: JsonObject = {}): Promise<void> {
    await this.send(responseType(request.type), request.id, {
      Result: 0,
      ...body,
    });
  }

  /** Plays the guest in a handshake. */
  async welcome(capabilities?: JsonObject): Promise<void> {
    await this.answer(await this.receive(), {
      Version: 4,
      Capabilities: capabilities ?? {
        RuntimeOsType: "Linux",
        GuestDefinedCapabilities: {
          NamespaceAddRequestSupported: true,
          SignalProcessSupported: true,
          DumpStacksSupported: true,
          DeleteContainerStateSupported: true,
        },
      },
    });
  }
}

/** An open connection and the guest at its other end. */
export async function openScripted(
  options: Partial<ConnectionOptions> = {},
): Promise<{ connection: GuestConnection; guest: ScriptedPeer }> {
  const [ours, theirs] = memoryPair();
  const guest = new ScriptedPeer(theirs);
  const opening = GuestConnection.open(ours, { log, ...options });
  await guest.welcome();
  return { connection: await opening, guest };
}
