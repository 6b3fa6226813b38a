import type { V1Deployment, V1ObjectMeta, V1OwnerReference, V1Secret } from "@kubernetes/client-node";
import type { AgentConfig } from "../agent/protocol.ts";
import { type Api, ApiError } from "../cluster/api.ts";
import type { Clock } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import {
  agentDeployment,
  agentFiles,
  agentSecret,
  configOf,
  originService,
  ownerReference,
  previewIngress,
  previewService,
  startingPatch,
  tokenOf,
} from "./agent_manifests.ts";
import type { AgentImage } from "./agent_image.ts";
import { labels, manager, objectNames } from "./names.ts";
import { paths } from "./paths.ts";
import type { Plan } from "./plan.ts";

/** An agent that is set going; its pod need not run yet. */
export interface RaisedAgent {
  readonly config: AgentConfig;
  /** What links must show. */
  readonly token: string;
  /** Whether a living one was found. */
  readonly joined: boolean;
}

/** What raising an agent takes. */
export interface RaiseDeps {
  readonly api: Api;
  readonly clock: Clock;
  /** Text of the agent's program, one file. */
  readonly agentProgram: string;
}

/** Milliseconds for which objects of an agent that was just deleted are waited for. */
const collectionPatience = 20_000;
const collectionInterval = 300;

/**
 * Makes the objects of an agent, or finishes what a hawser that died has begun; a living agent is joined as it is. To be called with the Service's lock
 * held. Rejects with an ApiError, or a {@linkcode Failure} where a name is taken by an object that is not hawser's.
 */
export async function raiseAgent(
  plan: Plan,
  image: AgentImage,
  deps: RaiseDeps,
  signal: AbortSignal,
): Promise<RaisedAgent> {
  const { api } = deps;
  const { namespace, service } = plan;
  const names = objectNames(service);
  const wanted = agentDeployment(plan, image);
  const found = await create(api, paths.deployments(namespace), wanted, signal) ??
    await existing<V1Deployment>(api, paths.deployments(namespace), names.agent, signal);
  const config = found.created ? undefined : configOf(found.object);
  if (config && isUsable(found.object, image)) {
    const secret = await api.get<V1Secret>(`${paths.secrets(namespace)}/${names.agent}`, {}, signal);
    const token = tokenOf(secret);
    if (token !== undefined) return { config, token, joined: true };
  }
  const owner = ownerReference(found.object);
  const own = <T extends Dependent>(path: string, manifest: T) => ensure(path, manifest, owner, deps, signal);
  const fresh = crypto.getRandomValues(new Uint8Array(24)).toHex();
  const origin = originService(plan, owner);
  const kept = origin ?? previewService(plan, owner);
  const ingress = previewIngress(plan, owner);
  const [secret, , made] = await Promise.all([
    own(paths.secrets(namespace), agentSecret(plan, fresh, owner)),
    own(paths.configMaps(namespace), agentFiles(plan, deps.agentProgram, owner)),
    kept && own(paths.services(namespace), kept),
    ingress && own(paths.ingresses(namespace), ingress),
  ]);
  const address = origin && made?.spec?.clusterIP;
  if (!found.created) {
    await api.patch(`${paths.deployments(namespace)}/${names.agent}`, "merge", refreshed(wanted), {}, signal);
  }
  const started = await api.patch<V1Deployment>(
    `${paths.deployments(namespace)}/${names.agent}`,
    "strategic-merge",
    startingPatch(plan, address),
    {},
    signal,
  );
  const given = configOf(started);
  if (!given) {
    throw new Failure(`Deployment "${names.agent}" in namespace "${namespace}" did not keep its configuration`);
  }
  return { config: given, token: tokenOf(secret) ?? fresh, joined: false };
}

/** One that runs is taken as it is; one that does not run yet only where we would make the same. */
function isUsable({ spec, status }: V1Deployment, { image }: AgentImage): boolean {
  if ((status?.readyReplicas ?? 0) > 0) return true;
  return (spec?.replicas ?? 0) > 0 && spec?.template.spec?.containers[0]?.image === image;
}

interface Dependent {
  readonly metadata?: V1ObjectMeta;
}

/** What was left by a hawser that died may want another image. */
function refreshed({ spec }: V1Deployment): unknown {
  return { spec: { replicas: 0, template: spec?.template } };
}

interface Found<T> {
  readonly object: T;
  readonly created: boolean;
}

/** Undefined where an object of that name exists. */
async function create<T extends Dependent>(
  api: Api,
  path: string,
  manifest: T,
  signal: AbortSignal,
): Promise<Found<T> | undefined> {
  try {
    return { object: await api.create<T>(path, manifest, signal), created: true };
  } catch (error) {
    if (error instanceof ApiError && error.reason === "AlreadyExists") return undefined;
    const { name, namespace } = manifest.metadata ?? {};
    if (error instanceof ApiError && error.status === 403 && error.message.includes("exceeded quota")) {
      throw new Failure(
        `"${name}" in namespace "${namespace}" cannot be made: ${error.message}. See: kubectl -n ${namespace} describe quota`,
      );
    }
    throw error;
  }
}

async function existing<T extends Dependent>(
  api: Api,
  path: string,
  name: string,
  signal: AbortSignal,
): Promise<Found<T>> {
  const object = await api.get<T>(`${path}/${name}`, {}, signal);
  if (object.metadata?.labels?.[labels.managedBy] !== manager) {
    throw new Failure(
      `"${name}" in namespace "${object.metadata?.namespace}" is the name that hawser needs for an object of its own (${path}), and somebody else's object has it`,
    );
  }
  return { object, created: false };
}

/** Creates what belongs to `owner`, or takes what already does; what belongs to a Deployment that was just deleted is waited for to go. */
async function ensure<T extends Dependent>(
  path: string,
  manifest: T,
  owner: V1OwnerReference,
  { api, clock }: RaiseDeps,
  signal: AbortSignal,
): Promise<T> {
  const name = manifest.metadata?.name ?? "";
  for (const deadline = clock.now() + collectionPatience;;) {
    const created = await create(api, path, manifest, signal);
    if (created) return created.object;
    try {
      const { object } = await existing<T>(api, path, name, signal);
      if (object.metadata?.ownerReferences?.some(({ uid }) => uid === owner.uid)) return object;
      if (clock.now() >= deadline) {
        throw new Failure(
          `"${name}" in namespace "${object.metadata?.namespace}" was left by an agent that is gone, and the cluster does not collect it (${path}): delete it`,
        );
      }
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
    await clock.sleep(collectionInterval, signal);
  }
}
