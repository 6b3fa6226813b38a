import type { V1Container, V1ObjectMeta, V1Pod, V1PodSpec } from "@kubernetes/client-node";
import { Failure } from "../platform/failure.ts";
import { didYouMean } from "../platform/nearest.ts";
import type { Api } from "./api.ts";
import { isHawsersOwn } from "./is_hawsers_own.ts";
import { parseWorkload, readWorkload, type WorkloadName } from "./workload.ts";

/** A container as `deploy/api:main` names it. */
export interface ContainerName {
  readonly workload: WorkloadName;
  /** Undefined for the one that kubectl would choose. */
  readonly container: string | undefined;
}

/** A container and the pod it is in. */
export interface FoundContainer {
  readonly namespace: string;
  readonly container: V1Container;
  readonly metadata: V1ObjectMeta;
  readonly spec: V1PodSpec;
  /** Undefined where the workload has no pod at present: then all is from its template. */
  readonly pod: V1Pod | undefined;
}

/** kubectl's own rule for which container is meant where none is named. */
const defaultContainer = "kubectl.kubernetes.io/default-container";

/** Reads `deploy/api` and `deploy/api:main`. Throws a TypeError that quotes what it cannot read. */
export function parseContainerName(text: string): ContainerName {
  const colon = text.indexOf(":");
  const container = colon < 0 ? undefined : text.slice(colon + 1);
  if (container !== undefined && !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(container)) {
    throw new TypeError(`"${container}" in "${text}" is no container: its name has lower-case letters, digits and "-"`);
  }
  return { workload: parseWorkload(colon < 0 ? text : text.slice(0, colon)), container };
}

/**
 * Finds a container of a workload: in its best pod, as it was admitted, else in its template. Rejects with an ApiError as `findWorkload`
 * does, and with a {@linkcode Failure} that lists the containers where there is none of that name.
 */
export async function findContainer(
  api: Api,
  { workload, container: wanted }: ContainerName,
  namespace: string,
  signal: AbortSignal,
): Promise<FoundContainer> {
  const { kind, name, template, pods } = await readWorkload(api, workload, namespace, signal);
  const pod = pods.find((each) => !isHawsersOwn(each)); // an exchanged service's selector finds the agent
  const { metadata = {}, spec } = pod ?? template ?? {};
  if (!spec) {
    throw new Failure(
      `${kind} "${name}" in namespace "${namespace}" has no pods at present that could be looked at: name what makes them, as in deploy/${name}`,
    );
  }
  const all = [...spec.containers, ...spec.initContainers ?? []];
  const chosen = wanted ?? metadata.annotations?.[defaultContainer];
  const container = all.find((each) => each.name === chosen) ?? (wanted === undefined ? all[0] : undefined);
  if (!container) {
    const names = all.map((each) => each.name);
    throw new Failure(
      `${kind} "${name}" in namespace "${namespace}" has no container "${wanted}".${
        didYouMean(wanted ?? "", names)
      } It has ${names.join(", ")}`,
    );
  }
  return { namespace, container, metadata, spec, pod };
}
