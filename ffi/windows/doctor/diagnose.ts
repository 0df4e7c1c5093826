/**
 * What `doctor` looks at on Windows. It changes nothing.
 *
 * @module
 */

import { type Check, runChecks } from "../../../hcs/checks.ts";
import type { Finding } from "../../../hcs/ports.ts";
import { VmCompute } from "../compute/vmcompute.ts";
import { systemVmCompute } from "../compute/vmcompute_library.ts";
import { WindowsFiles } from "../host_files.ts";
import { type WindowsParts, windowsPlatform } from "../platform.ts";
import { judgeBootFiles } from "./boot_files.ts";
import { judgeCompute, judgePipes, judgeSockets } from "./connections.ts";
import {
  type ContainerdPlaces,
  findConfig,
  judgeConfig,
  judgeExecutable,
  placesOfProcess,
} from "./containerd.ts";
import { libraryChecks } from "./libraries.ts";
import { judgeService } from "./services.ts";
import { enableHyperV, judgeArchitecture, judgeBuild } from "./system.ts";

/** The machine itself and its services. */
function hostChecks(parts: WindowsParts): Check[] {
  const { io, opener } = parts;
  const platform = windowsPlatform(parts);
  return [
    {
      name: "Windows build",
      advice: "Install Windows Server 2019 (build 17763) or newer",
      look: () => judgeBuild(platform.build),
    },
    {
      name: "architecture",
      advice: "Use a machine with x64 processors",
      look: () => judgeArchitecture(platform.arch),
    },
    {
      name: "service vmcompute",
      advice: enableHyperV,
      look: () => judgeService(io.libraries, "vmcompute", "gap"),
    },
    {
      name: "service hns",
      advice: "Enable the Windows feature Containers, for pods with a network",
      look: () => judgeService(io.libraries, "hns", "warning"),
    },
    ...libraryChecks(opener),
    {
      name: "compute service",
      advice: "Run from an elevated prompt, with the service vmcompute running",
      look: () => judgeCompute(new VmCompute(systemVmCompute(opener), parts)),
    },
    {
      name: "Hyper-V sockets",
      advice: enableHyperV,
      look: () => judgeSockets(io.libraries.ws2_32),
    },
    {
      name: "pipe rights",
      advice: "Run from an elevated prompt, as containerd's service does",
      look: () => judgePipes(io),
    },
  ];
}

/** What is installed for the shim. */
function installationChecks(
  { io }: WindowsParts,
  places: ContainerdPlaces,
): Check[] {
  // Read once; whoever needs it says what is wrong with it.
  const config = findConfig(places);
  config.catch(() => {});
  const readable = config.then(
    (found) => found.config,
    () => undefined,
  );
  const files = new WindowsFiles({ libraries: io.libraries });
  return [
    {
      name: "boot files",
      advice: "Copy them there, or name their folder in BootFilesRootPath",
      look: async () => {
        const runtimes = (await readable)?.runtimes ?? [];
        const [named] = runtimes.map(({ bootDirectory }) => bootDirectory)
          .filter((directory) => directory !== undefined);
        return await judgeBootFiles(files, named);
      },
    },
    {
      name: "containerd configuration",
      advice: "Add the runtime to it: see deploy/containerd-config.toml",
      look: async () => judgeConfig(await config),
    },
    {
      name: "shim executable",
      advice: "Copy it into the folder of containerd.exe",
      look: async () => await judgeExecutable(places, await readable),
    },
  ];
}

/**
 * Looks whether this machine can run Linux containers. Never rejects.
 *
 * @param parts What the platform works with.
 * @param places Where containerd is looked for; tests replace it.
 */
export function diagnose(
  parts: WindowsParts,
  places: ContainerdPlaces = placesOfProcess,
): AsyncIterable<Finding> {
  const { clock, timeouts } = parts;
  return runChecks(
    [...hostChecks(parts), ...installationChecks(parts, places)],
    { clock, limit: timeouts.doctorCheck },
  );
}
