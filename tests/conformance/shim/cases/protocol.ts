/** ttrpc, with clients that keep its rules and others. */

import { assert, assertEquals } from "@std/assert";
import { abortable } from "../../../../base/clock.ts";
import type { Duplex } from "../../../../base/duplex.ts";
import type { ErrorCode } from "../../../../base/errors.ts";
import { StateRequest, StateResponse } from "../../../../ttrpc/api/task.gen.ts";
import { Request, Response } from "../../../../ttrpc/api/envelope.gen.ts";
import {
  encodeFrame,
  FrameReader,
  FrameType,
} from "../../../../ttrpc/frames.ts";
import { errorCode } from "../../../../ttrpc/status.ts";
import type { CaseGroup, Scene } from "../case.ts";

/** A reply of the shim. */
interface Reply {
  readonly streamId: number;
  readonly code: ErrorCode | "OK";
  readonly payload: Uint8Array;
}

/** A connection that writes frames as it likes. */
class Wire {
  readonly #stream: Duplex;
  readonly #reader: FrameReader;
  readonly #signal: AbortSignal;
  readonly #service: string;
  readonly #id: string;

  private constructor(
    stream: Duplex,
    scene: Scene,
    service: string,
    id: string,
  ) {
    this.#stream = stream;
    this.#reader = new FrameReader(stream);
    this.#signal = scene.signal;
    this.#service = service;
    this.#id = id;
  }

  /** One to the shim that cases share. */
  static async open(scene: Scene): Promise<Wire> {
    const { shim, container } = await scene.pod();
    const stream = await shim.dial();
    scene.defer(() => stream.close());
    return new Wire(stream, scene, shim.service.name, container.id);
  }

  send(bytes: Uint8Array): Promise<void> {
    return this.#stream.write(bytes);
  }

  close(): Promise<void> {
    return this.#stream.close();
  }

  /** The frame of a State of the shared container. */
  state(streamId: number, more: Partial<Request> = {}): Uint8Array {
    const payload = StateRequest.encode({ id: this.#id });
    const service = this.#service;
    return encodeFrame(
      streamId,
      FrameType.Request,
      0,
      Request.encode({ service, method: "State", payload, ...more }),
    );
  }

  /** The next reply; undefined when the shim has closed the connection. */
  async reply(signal: AbortSignal = this.#signal): Promise<Reply | undefined> {
    const frame = await abortable(this.#reader.next(), signal);
    if (frame === null || frame.data === undefined) return undefined;
    const { status, payload } = Response.decode(frame.data);
    const code = status === undefined || status.code === 0
      ? "OK"
      : errorCode(status.code);
    return { streamId: frame.streamId, code, payload };
  }

  /** Expects a reply. */
  async expect(streamId: number, code: ErrorCode | "OK"): Promise<void> {
    const reply = await this.reply();
    assertEquals([reply?.streamId, reply?.code], [streamId, code]);
    if (reply?.code === "OK") {
      assertEquals(StateResponse.decode(reply.payload).id, this.#id);
    }
  }

  /** Expects that the connection still serves. */
  async alive(streamId: number): Promise<void> {
    await this.send(this.state(streamId));
    await this.expect(streamId, "OK");
  }
}

/** Expects that the shim serves others. */
async function servesOthers(scene: Scene): Promise<void> {
  const { container } = await scene.pod();
  assertEquals((await container.state()).id, container.id);
}

/** Milliseconds after which a call of 50 ms is taken for one without an end. */
const waitLimit = 15_000;

/** Bytes that are beyond the longest message. */
const tooLong = (4 << 20) + 1;

/** See the module. */
export const protocol: CaseGroup = {
  name: "ttrpc",
  cases: [
    {
      name: "an unknown service is NotImplemented, the connection stays",
      run: async (scene) => {
        const wire = await Wire.open(scene);
        await wire.send(wire.state(1, { service: "no.such.Service" }));
        await wire.expect(1, "NotImplemented");
        await wire.alive(3);
      },
    },
    {
      name: "an unknown method is NotImplemented, the connection stays",
      run: async (scene) => {
        const wire = await Wire.open(scene);
        await wire.send(wire.state(1, { method: "NoSuchMethod" }));
        await wire.expect(1, "NotImplemented");
        await wire.alive(3);
      },
    },
    {
      name: "both versions of the Task service are served",
      needs: { taskV3: true },
      run: async (scene) => {
        const wire = await Wire.open(scene);
        for (const [at, version] of ["v2", "v3"].entries()) {
          const service = `containerd.task.${version}.Task`;
          await wire.send(wire.state(2 * at + 1, { service }));
          await wire.expect(2 * at + 1, "OK");
        }
      },
    },
    {
      name: "a payload that cannot be read is an error, the connection stays",
      run: async (scene) => {
        const wire = await Wire.open(scene);
        const payload = Uint8Array.of(0x0a, 0xff);
        await wire.send(wire.state(1, { payload }));
        const reply = await wire.reply();
        assert(reply !== undefined && reply.code !== "OK", "no error");
        await wire.alive(3);
      },
    },
    {
      name: "a request that cannot be read is refused, the connection stays",
      run: async (scene) => {
        const wire = await Wire.open(scene);
        const garbage = Uint8Array.of(0x0a, 0xff, 1, 2);
        await wire.send(encodeFrame(1, FrameType.Request, 0, garbage));
        const reply = await wire.reply();
        assert(reply !== undefined && reply.code !== "OK", "no error");
        await wire.alive(3);
      },
    },
    {
      name: "a frame of an unknown type is ignored",
      run: async (scene) => {
        const wire = await Wire.open(scene);
        await wire.send(encodeFrame(1, 200, 0, Uint8Array.of(1, 2, 3)));
        await wire.alive(3);
      },
    },
    {
      name: "an even stream id is InvalidArgument, the connection stays",
      run: async (scene) => {
        const wire = await Wire.open(scene);
        await wire.send(wire.state(2));
        await wire.expect(2, "InvalidArgument");
        await wire.alive(3);
      },
    },
    {
      name:
        "a stream id that was used is InvalidArgument, the connection stays",
      run: async (scene) => {
        const wire = await Wire.open(scene);
        await wire.alive(5);
        await wire.send(wire.state(3));
        await wire.expect(3, "InvalidArgument");
        await wire.alive(7);
      },
    },
    {
      name:
        "data for a stream that is not open is refused, the connection stays",
      run: async (scene) => {
        const wire = await Wire.open(scene);
        await wire.send(encodeFrame(9, FrameType.Data, 0, new Uint8Array(4)));
        await wire.send(wire.state(11));
        await wire.expect(9, "InvalidArgument");
        await wire.expect(11, "OK");
      },
    },
    {
      name: "a message beyond 4 MiB is ResourceExhausted, the connection stays",
      run: async (scene) => {
        const wire = await Wire.open(scene);
        const frame = new Uint8Array(10 + tooLong);
        frame.set(wire.state(1).subarray(0, 10));
        new DataView(frame.buffer).setUint32(0, tooLong);
        await wire.send(frame);
        await wire.expect(1, "ResourceExhausted");
        await wire.alive(3);
      },
    },
    {
      name: "half a frame and a disconnect leave other clients alone",
      run: async (scene) => {
        for (const length of [3, 10, 15]) {
          const wire = await Wire.open(scene);
          await wire.send(wire.state(1).subarray(0, length));
          await wire.close();
        }
        await servesOthers(scene);
      },
    },
    {
      name: "random bytes end their own connection at most",
      run: async (scene) => {
        for (let round = 0; round < 10; round++) {
          const wire = await Wire.open(scene);
          await wire.send(crypto.getRandomValues(new Uint8Array(2000)));
          await wire.close();
          await servesOthers(scene);
        }
      },
    },
    {
      name: "requests that come in one piece are all answered",
      run: async (scene) => {
        const wire = await Wire.open(scene);
        const frames = Array.from({ length: 200 }, (_, at) => [
          ...wire.state(2 * at + 1),
        ]);
        await wire.send(Uint8Array.from(frames.flat()));
        const answered = new Set<number | undefined>();
        for (let at = 0; at < frames.length; at++) {
          const reply = await wire.reply();
          assertEquals(reply?.code, "OK");
          answered.add(reply?.streamId);
        }
        assertEquals(answered.size, frames.length);
      },
    },
    {
      name: "a request that comes byte by byte is answered",
      run: async (scene) => {
        const wire = await Wire.open(scene);
        for (const byte of wire.state(1)) await wire.send(Uint8Array.of(byte));
        await wire.expect(1, "OK");
      },
    },
    {
      name: "a call that waits does not hold up those behind it",
      run: async (scene) => {
        const wire = await Wire.open(scene);
        await wire.send(wire.state(1, { method: "Wait" }));
        await wire.alive(3);
        await wire.alive(5);
      },
    },
    {
      name: "a Wait whose time is over is DeadlineExceeded or Canceled",
      run: async (scene) => {
        const wire = await Wire.open(scene);
        const timeoutNano = 50_000_000n;
        await wire.send(wire.state(1, { method: "Wait", timeoutNano }));
        const reply = await wire.reply(AbortSignal.timeout(waitLimit));
        assert(
          ["DeadlineExceeded", "Canceled"].includes(reply?.code ?? ""),
          `${reply?.code}`,
        );
        await wire.alive(3);
      },
    },
    {
      name: "fifty clients at a time are served",
      run: async (scene) => {
        const wires = await Promise.all(
          Array.from({ length: 50 }, () => Wire.open(scene)),
        );
        await Promise.all(wires.map((wire) => wire.alive(1)));
      },
    },
  ],
};
