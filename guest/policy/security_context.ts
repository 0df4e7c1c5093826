/**
 * What containers are shown of the VM's policy (`spec/guest-runtime.md` 11.3).
 *
 * @module
 */

import type { Logger } from "../../base/log.ts";
import {
  AnnotationReader,
  containerAnnotations,
} from "../../oci/annotations.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import type { Rollback } from "../rollback.ts";
import { refuseLinks } from "../storage/paths.ts";
import { removeTree } from "../storage/unmount.ts";
import type { ContextFiles } from "./policy.ts";

/** Names the folder to the processes of a container. */
const variable = "UVM_SECURITY_CONTEXT_DIR";

/**
 * Writes the files into a folder of a container's root, and names it in the
 * environment of its process. Without files nothing is made.
 *
 * @param spec The container, whose root is mounted.
 * @param shown Files of the policy.
 * @param rollback Removes the folder.
 */
export async function showSecurityContext(
  spec: Spec,
  shown: ContextFiles,
  { rollback, log }: { readonly rollback: Rollback; readonly log: Logger },
): Promise<void> {
  const { annotations = {}, root, process } = spec;
  const { securityPolicyEnv, amdCertificate } = containerAnnotations;
  const reader = new AnnotationReader(annotations, log);
  if (!reader.bool(securityPolicyEnv, true)) return;
  const certificate = annotations[amdCertificate] ?? "";
  const files = Object.entries({
    ...shown,
    ...(certificate !== "" && { "host-amd-cert-base64": certificate }),
  });
  if (files.length === 0 || root === undefined || process === undefined) return;
  await refuseLinks(root.path);
  const prefix = "security-context-";
  const folder = await Deno.makeTempDir({ dir: root.path, prefix });
  rollback.add(`folder ${folder}`, () => removeTree(folder));
  await Deno.chmod(folder, 0o755);
  for (const [name, text] of files) {
    const path = `${folder}/${name}`;
    await Deno.writeTextFile(path, text, { createNew: true });
    await Deno.chmod(path, 0o777); // whatever the umask
  }
  const name = folder.slice(folder.lastIndexOf("/") + 1);
  process.env = [...process.env ?? [], `${variable}=/${name}`];
}
