/**
 * A small image, built without a network: two layers from `busybox-static`, as
 * an OCI archive that `ctr image import` takes.
 *
 * @module
 */

import { cacheDirectory, inCache } from "./debian.ts";
import { ShimError } from "../base/errors.ts";

/** Name under which the image is imported. */
export const imageName = "docker.io/library/lcow-busybox:latest";

const encoder = new TextEncoder();

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function output(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new ShimError(
      "Unavailable",
      `Cannot run ${command}: ${new TextDecoder().decode(stderr).trim()}`,
    );
  }
  return stdout;
}

/** A reproducible tar of a folder's content. */
function tar(dir: string): Promise<Uint8Array<ArrayBuffer>> {
  return output("tar", [
    "--create",
    "--sort=name",
    "--mtime=@0",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    `--directory=${dir}`,
    ".",
  ]);
}

async function baseLayer(dir: string, busybox: string): Promise<void> {
  for (
    const name of [
      "bin",
      "dev",
      "etc",
      "proc",
      "root",
      "run",
      "sys",
      "tmp",
      "var",
    ]
  ) {
    await Deno.mkdir(`${dir}/${name}`, { recursive: true });
  }
  await Deno.chmod(`${dir}/tmp`, 0o1777);
  await Deno.copyFile(busybox, `${dir}/bin/busybox`);
  const applets = new TextDecoder().decode(await output(busybox, ["--list"]));
  for (const applet of applets.trim().split("\n")) {
    if (applet !== "busybox") {
      await Deno.symlink("busybox", `${dir}/bin/${applet}`);
    }
  }
  await Deno.writeTextFile(
    `${dir}/etc/passwd`,
    "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/:/bin/sh\n",
  );
  await Deno.writeTextFile(`${dir}/etc/group`, "root:x:0:\nuser:x:1000:\n");
}

async function archive(
  dir: string,
  layers: readonly Uint8Array<ArrayBuffer>[],
): Promise<Uint8Array<ArrayBuffer>> {
  const blobs = `${dir}/blobs/sha256`;
  await Deno.mkdir(blobs, { recursive: true });
  const put = async (mediaType: string, content: Uint8Array<ArrayBuffer>) => {
    const digest = await sha256(content);
    await Deno.writeFile(`${blobs}/${digest}`, content);
    return { mediaType, digest: `sha256:${digest}`, size: content.length };
  };
  const json = (value: unknown): Uint8Array<ArrayBuffer> =>
    encoder.encode(JSON.stringify(value));
  const layerDescriptors = [];
  for (const layer of layers) {
    layerDescriptors.push(
      await put("application/vnd.oci.image.layer.v1.tar", layer),
    );
  }
  const config = await put(
    "application/vnd.oci.image.config.v1+json",
    json({
      architecture: Deno.build.arch === "aarch64" ? "arm64" : "amd64",
      os: "linux",
      config: { Env: ["PATH=/bin"], Cmd: ["/bin/sh"], WorkingDir: "/" },
      rootfs: {
        type: "layers",
        diff_ids: layerDescriptors.map(({ digest }) => digest),
      },
    }),
  );
  const manifest = await put(
    "application/vnd.oci.image.manifest.v1+json",
    json({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config,
      layers: layerDescriptors,
    }),
  );
  await Deno.writeFile(
    `${dir}/oci-layout`,
    json({ imageLayoutVersion: "1.0.0" }),
  );
  await Deno.writeFile(
    `${dir}/index.json`,
    json({
      schemaVersion: 2,
      manifests: [{
        ...manifest,
        annotations: {
          "io.containerd.image.name": imageName,
          "org.opencontainers.image.ref.name": "latest",
        },
      }],
    }),
  );
  return await tar(dir);
}

async function find(program: string, path: string): Promise<string> {
  for (const dir of path.split(":")) {
    try {
      if ((await Deno.stat(`${dir}/${program}`)).isFile) {
        return `${dir}/${program}`;
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new ShimError("NotFound", `Cannot find "${program}" on PATH`);
}

/** Makes something in the cache unless it is there, for one caller at a time. */
function once(
  target: string,
  make: () => Promise<void>,
): Promise<string> {
  return inCache(async () => {
    try {
      await Deno.stat(target);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await make();
    }
    return target;
  });
}

/**
 * Builds the image once; later calls find it in the cache.
 *
 * @param env Environment of {@linkcode toolEnv}.
 * @returns Path of the archive.
 */
export function buildImage(env: Record<string, string>): Promise<string> {
  const target = `${cacheDirectory}image-1.tar`;
  return once(target, async () => {
    const dir = await Deno.makeTempDir({
      dir: cacheDirectory,
      prefix: "image-",
    });
    try {
      await Deno.mkdir(`${dir}/base`);
      await baseLayer(`${dir}/base`, await find("busybox", env["PATH"] ?? ""));
      await Deno.mkdir(`${dir}/app/srv`, { recursive: true });
      await Deno.writeTextFile(
        `${dir}/app/srv/hello`,
        "hello from layer two\n",
      );
      const layers = [await tar(`${dir}/base`), await tar(`${dir}/app`)];
      await Deno.mkdir(`${dir}/oci`);
      const content = await archive(`${dir}/oci`, layers);
      await Deno.writeFile(`${dir}/image.tar`, content);
      await Deno.rename(`${dir}/image.tar`, target);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

/**
 * The image's base layer as a folder, made once: for bundles without containerd.
 *
 * @param env Environment of {@linkcode toolEnv}.
 * @returns Path of the folder; treat it as read-only.
 */
export function buildRootfs(env: Record<string, string>): Promise<string> {
  const target = `${cacheDirectory}rootfs-1`;
  return once(target, async () => {
    const dir = await Deno.makeTempDir({
      dir: cacheDirectory,
      prefix: "rootfs-",
    });
    await baseLayer(dir, await find("busybox", env["PATH"] ?? ""));
    await Deno.chmod(dir, 0o755);
    await Deno.rename(dir, target);
  });
}
