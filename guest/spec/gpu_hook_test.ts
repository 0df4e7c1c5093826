import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { scrubText } from "../../base/log.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import { addGpuHook, type GpuHookOptions } from "./gpu_hook.ts";

function specWith(capabilities?: string, ...idTypes: string[]): Spec {
  return {
    ociVersion: "1.1.0",
    root: { path: "/run/gcs/c/w/rootfs" },
    windows: {
      devices: idTypes.map((idType, i) => ({ id: `id${i}`, idType })),
    },
    ...(capabilities !== undefined && {
      annotations: { "io.microsoft.container.gpu.capabilities": capabilities },
    }),
  };
}

/** With the hook's program on PATH. */
async function withHook(
  test: (options: GpuHookOptions) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/generichook`, "", { mode: 0o755 });
    await test({
      pci: { location: (id) => Promise.resolve(`${id}:00:00.0`) },
      bundle: "/run/gcs/c/w",
      env: { PATH: `/no/such:${folder}`, LANG: "C" },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("7.5 a gpu brings the hook of NVIDIA's tool, and a rule for all character devices", () =>
  withHook(async (options) => {
    const spec = specWith("compute, utility,", "gpu", "vpci", "gpu");
    spec.hooks = { createRuntime: [{ path: "/first" }], poststop: [] };
    await addGpuHook(spec, options);
    const path = `${options.env.PATH!.split(":")[1]}/generichook`;
    const log = "/run/gcs/c/w/nvidia-container.log";
    assertEquals(spec.hooks, {
      createRuntime: [{ path: "/first" }, {
        path,
        args: [
          path,
          "nvidia-container-cli",
          `--debug=${log}`,
          "--no-pivot",
          "configure",
          "--ldconfig=@/sbin/ldconfig",
          "--compute",
          "--utility",
          "--device=id0:00:00.0",
          "--device=id2:00:00.0",
          "--pid={{pid}}",
          "/run/gcs/c/w/rootfs",
        ],
        env: [
          `PATH=${options.env.PATH}`,
          "LANG=C",
          "NVC_INSECURE_MODE=1",
          `GENERIC_HOOK_LOG_DEBUG_FILE=${log}`,
        ],
      }],
      poststop: [],
    });
    assertEquals(spec.linux?.resources?.devices, [
      { allow: true, type: "c", access: "rwm" },
    ]);
  }));

Deno.test("7.5 containers without a gpu get neither", () =>
  withHook(async (options) => {
    const spec = specWith("compute", "vpci");
    await addGpuHook(spec, options);
    assertEquals([spec.hooks, spec.linux], [undefined, undefined]);
  }));

Deno.test("7.5 a gpu without capabilities passes none", () =>
  withHook(async (options) => {
    const spec = specWith(undefined, "gpu");
    await addGpuHook(spec, options);
    const args = spec.hooks?.createRuntime?.[0]?.args ?? [];
    assertEquals(args.slice(5, 7), [
      "--ldconfig=@/sbin/ldconfig",
      "--device=id0:00:00.0",
    ]);
  }));

Deno.test("7.5 a VM without the hook's program, and other flags as capabilities, are refused", () =>
  withHook(async (options) => {
    await assertRejects(
      () => addGpuHook(specWith("", "gpu"), { ...options, env: { PATH: "/" } }),
      ShimError,
      "no generichook",
    );
    for (const text of ["user=0", "compute,-x", "Compute"]) {
      const spec = specWith(text, "gpu");
      const { message } = await assertRejects(
        () => addGpuHook(spec, options),
        ShimError,
        text,
      );
      assertEquals(scrubText(message).includes(text), false, message);
    }
  }));
