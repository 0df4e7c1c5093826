/**
 * What stands around the container of a recorded case: its host and its guest.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import type { Guest, GuestContainer } from "../../bridge/guest.ts";
import {
  CombinedLayers,
  ContainerDocument,
  type ModifyRequest,
} from "../../bridge/messages.gen.ts";
import { joinWindowsPath } from "../../base/windows_path.ts";
import type { ComputeHost, HostFiles } from "../../hcs/ports.ts";
import type { CallLog } from "./call_log.ts";
import { objectOf, plain, textOf } from "./json.ts";

/** The guest of a case. */
export class CaseGuest {
  /** The document of the last container that it was asked to create. */
  document: Json | undefined;
  readonly #log: CallLog;
  readonly #canForget: boolean;
  readonly #namesRequests: boolean;

  /**
   * @param capabilities What the guest announced; null when nothing.
   * @param log Gets the calls.
   * @param namesRequests Whether a modification is recorded by a name of its own,
   * as the peer's own division has it.
   */
  constructor(
    capabilities: Json | undefined,
    log: CallLog,
    namesRequests: boolean,
  ) {
    this.#log = log;
    this.#canForget =
      objectOf(capabilities).deleteContainerStateSupported === true;
    this.#namesRequests = namesRequests;
  }

  /** As containers see it. */
  get port(): Guest {
    return {
      modify: (request: ModifyRequest) => this.#modify(request),
      createContainer: (id: string, document: ContainerDocument) =>
        this.#create(id, document),
      deleteContainerState: (id: string) =>
        this.#canForget
          ? this.#log.play("guest.DeleteContainerState", { containerId: id })
          : Promise.resolve(),
    } as Partial<Guest> as Guest;
  }

  #modify(request: ModifyRequest): Promise<void> {
    const { ResourceType, RequestType, Settings } = request;
    if (!this.#namesRequests || ResourceType !== "CombinedLayers") {
      return this.#log.play("guest.modify", { request: plain(request) });
    }
    const settings = plain(
      CombinedLayers.encode(CombinedLayers.decode(plain(Settings))),
    );
    return this.#log.play(`guest.${RequestType}CombinedLayers`, { settings });
  }

  async #create(
    id: string,
    document: ContainerDocument,
  ): Promise<GuestContainer> {
    this.document = plain(ContainerDocument.encode(document));
    await this.#log.play("guest.CreateContainer", { containerId: id });
    return {
      id,
      start: () => Promise.resolve(),
      terminated: Promise.withResolvers<void>().promise,
      close: () => {},
    };
  }
}

/** The part of a host that a container sees. */
export interface CaseHost {
  /** The compute service. */
  readonly compute: Pick<ComputeHost, "grantAccess">;
  /** Its files. */
  readonly files: Pick<HostFiles, "join" | "resolve" | "stat">;
}

/** The compute service and the files of a case. */
export function caseHost(input: JsonObject, log: CallLog): CaseHost {
  const links = objectOf(input.links);
  const files = objectOf(input.hostFiles);
  const missing = (path: string): Promise<never> =>
    Promise.reject(
      new ShimError("NotFound", `The system cannot find the file "${path}"`),
    );
  return {
    compute: {
      grantAccess: (vmId: string, path: string) =>
        log.play("host.GrantVMAccess", { vmId, path }),
    },
    files: {
      join: joinWindowsPath,
      resolve: (path: string): Promise<string> => {
        const target = links[path];
        return target === null
          ? missing(path)
          : Promise.resolve(target === undefined ? path : textOf(target));
      },
      stat: (path: string): Promise<"file" | "directory"> => {
        const kind = files[canonical(path)];
        return kind === undefined
          ? missing(path)
          : Promise.resolve(kind === "dir" ? "directory" : "file");
      },
    },
  };
}

/** One spelling for all paths that Windows takes for the same. */
function canonical(path: string): string {
  return path.replaceAll("/", "\\").replace(/(?<!:)\\+$/, "");
}
