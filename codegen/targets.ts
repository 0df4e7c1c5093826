/**
 * What is generated from what.
 *
 * @module
 */

import type { JsonTarget } from "./json_output.ts";
import type { ProtoTargets } from "./proto_output.ts";

/** The files of JSON messages. */
export const jsonTargets: readonly JsonTarget[] = [
  {
    schemas: "schema/bridge",
    output: "bridge/messages.gen.ts",
    base: "../base/",
    about: "Every message of the bridge between host and guest.",
  },
  {
    schemas: "schema/hcs",
    output: "hcs/documents.gen.ts",
    base: "../base/",
    about: "Documents of the host compute service.",
  },
  {
    schemas: "schema/oci",
    output: "oci/spec.gen.ts",
    base: "../base/",
    about: "The OCI runtime specification; unknown members are kept.",
  },
];

/** The files of protobuf messages. */
export const protoTargets: ProtoTargets = {
  schemas: "schema/proto",
  folder: "ttrpc/api",
  names: new Map([
    ["google.rpc.Status", "RpcStatus"],
    ["containerd.v1.types.Status", "TaskStatus"],
    ["containerd.task.v2.Task", "TaskV2"],
    ["containerd.task.v3.Task", "TaskV3"],
  ]),
  files: [
    {
      output: "any.gen.ts",
      protos: [
        "google/protobuf/any.proto",
        "google/protobuf/timestamp.proto",
        "google/protobuf/duration.proto",
        "google/protobuf/empty.proto",
        "google/rpc/status.proto",
      ],
      about: "Messages that all other packages share.",
    },
    {
      output: "bootstrap.gen.ts",
      protos: ["containerd/runtime/bootstrap/v1/bootstrap.proto"],
      about: "How containerd 2.3 and later starts a shim.",
    },
    {
      output: "cgroups_v1.gen.ts",
      protos: ["io/containerd/cgroups/v1/metrics.proto"],
      about: "Statistics of a Linux container.",
    },
    {
      output: "cri.gen.ts",
      protos: ["runtime/v1/api.proto"],
      about: "The pod configuration of the Kubernetes runtime interface.",
    },
    {
      output: "envelope.gen.ts",
      protos: ["ttrpc/envelope.proto"],
      about: "The envelope of every ttrpc call.",
    },
    {
      output: "events.gen.ts",
      protos: [
        "containerd/services/events/ttrpc/v1/events.proto",
        "containerd/events/task.proto",
        "containerd/events/sandbox.proto",
      ],
      about: "What a shim reports to containerd.",
    },
    {
      output: "operator.gen.ts",
      protos: ["lcow/operator/v1/operator.proto"],
      about: "What `lcow` asks a running shim.",
    },
    {
      output: "runc_details.gen.ts",
      protos: ["containerd/runc/v1/oci.proto"],
      about: "What runc's shim tells of processes.",
    },
    {
      output: "runhcs_options.gen.ts",
      protos: ["containerd/runhcs/v1/runhcs.proto"],
      about: "Runtime options of this family of shims.",
    },
    {
      output: "runhcs_stats.gen.ts",
      protos: ["containerd/runhcs/stats/v1/stats.proto"],
      about: "Statistics of tasks and VMs.",
    },
    {
      output: "runtime_info.gen.ts",
      protos: ["containerd/types/introspection.proto"],
      about: "What `-info` reads and prints.",
    },
    {
      output: "runtime_options.gen.ts",
      protos: ["runtimeoptions/v1/api.proto"],
      about: "Runtime options as containerd hands them to foreign shims.",
    },
    {
      output: "sandbox.gen.ts",
      protos: ["containerd/runtime/sandbox/v1/sandbox.proto"],
      about: "The sandbox service.",
    },
    {
      output: "shimdiag.gen.ts",
      protos: ["containerd/runhcs/v1/diag/shimdiag.proto"],
      about: "The diagnosis service.",
    },
    {
      output: "task.gen.ts",
      protos: [
        "containerd/task/v3/task.proto",
        "containerd/task/v2/task.proto",
      ],
      about: "The task service, versions 2 and 3.",
    },
    {
      output: "task_types.gen.ts",
      protos: ["containerd/v1/types/task.proto"],
      about: "Types of the task service.",
    },
    {
      output: "types.gen.ts",
      protos: [
        "containerd/types/event.proto",
        "containerd/types/mount.proto",
        "containerd/types/platform.proto",
        "containerd/types/metrics.proto",
      ],
      about: "Types that several services share.",
    },
  ],
};
