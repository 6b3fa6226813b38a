import type {
  V1ConfigMap,
  V1Deployment,
  V1Ingress,
  V1OwnerReference,
  V1Secret,
  V1Service,
} from "@kubernetes/client-node";
import type { AgentConfig } from "../agent/protocol.ts";
import type { AgentImage } from "./agent_image.ts";
import { labels, manager, objectNames } from "./names.ts";
import type { Plan } from "./plan.ts";
import type { Variant } from "./variant.ts";

/** Name of the agent's container. */
export const agentContainer = "agent";
const filesPath = "/hawser";
const secretPath = "/hawser-token";
const tokenKey = "token";
const variantAnnotation = "hawser.dev/variant";

/**
 * The Deployment of an agent, without replicas: what its pod needs is owned by it, so it has to come first, and is set going by
 * {@linkcode startingPatch}. The pod passes the *restricted* Pod Security Standard.
 */
export function agentDeployment(plan: Plan, { image, pullSecrets }: AgentImage): V1Deployment {
  const { service, namespace, ports, healthPort, variant } = plan;
  const name = objectNames(service).agent;
  const selector = { [labels.agent]: service };
  const declared = ports.flatMap(({ containerPortName, agentPort }) =>
    containerPortName === undefined ? [] : [{ name: containerPortName, containerPort: agentPort, protocol: "TCP" }]
  );
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name,
      namespace,
      labels: labelsFor(service),
      ...variant && { annotations: { [variantAnnotation]: variant } },
    },
    spec: {
      replicas: 0,
      revisionHistoryLimit: 0,
      selector: { matchLabels: selector },
      // A new pod serves before the old one goes.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: {
          // Nobody adopts pods that wear a workload's labels: they have a controller, the agent's own ReplicaSet.
          labels: { ...labelsFor(service), ...plan.labels, ...selector, "sidecar.istio.io/inject": "false" },
          annotations: { "sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled" },
        },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 30,
          nodeSelector: { "kubernetes.io/os": "linux" },
          ...pullSecrets.length > 0 && { imagePullSecrets: pullSecrets.map((name) => ({ name })) },
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 1000,
            runAsGroup: 1000,
            fsGroup: 1000,
            seccompProfile: { type: "RuntimeDefault" },
            ...ports.some(({ agentPort }) => agentPort < 1024) && {
              sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }],
            },
          },
          containers: [{
            name: agentContainer,
            image,
            imagePullPolicy: "IfNotPresent",
            command: agentCommand(image),
            // An image made for root may keep its cache where this user cannot write; the agent needs none.
            env: [{ name: "DENO_DIR", value: "/tmp" }],
            ...declared.length > 0 && { ports: declared },
            resources: {
              requests: { cpu: "50m", memory: "64Mi" },
              limits: { cpu: "1", memory: "256Mi" },
            },
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ["ALL"] },
            },
            readinessProbe: {
              httpGet: { path: "/", port: healthPort },
              periodSeconds: 1,
              timeoutSeconds: 2,
              failureThreshold: 3,
            },
            // The last words of an agent that could not start become part of the reason that people are told.
            terminationMessagePolicy: "FallbackToLogsOnError",
            volumeMounts: [
              { name: "files", mountPath: filesPath, readOnly: true },
              { name: "token", mountPath: secretPath, readOnly: true },
            ],
          }],
          volumes: [
            { name: "files", configMap: { name } },
            { name: "token", secret: { secretName: name, defaultMode: 0o440 } },
          ],
        },
      },
    },
  };
}

/** The strategic merge patch that gives an agent its configuration and its pod. */
export function startingPatch(plan: Plan, originAddress: string | undefined): unknown {
  const env = [{ name: "HAWSER_AGENT", value: JSON.stringify(agentConfig(plan, originAddress)) }];
  return {
    spec: { replicas: 1, template: { spec: { containers: [{ name: agentContainer, env }] } } },
  };
}

/** What an agent is told; `originAddress` is the ClusterIP of the origin Service, which spares a DNS look-up for each connection. */
export function agentConfig(plan: Plan, originAddress: string | undefined): AgentConfig {
  const { ports, linkPort, healthPort, service, namespace, ready, nobody } = plan;
  const taking = new Map(ports.map(({ agentPort, port }) => [agentPort, port]));
  return {
    linkPort,
    tokenFile: `${secretPath}/${tokenKey}`,
    ports: [...taking].map(([agentPort, port]) => ({
      port: agentPort,
      ...originAddress !== undefined && { origin: { host: originAddress, port } },
      ...nobody !== undefined && { nobody },
    })),
    healthPort,
    service: `${namespace}/${service}`,
    ...ready && { ready },
  };
}

/** What kind of agent a Deployment is where it is not the ordinary one. */
export function variantOf({ metadata }: V1Deployment): Variant["kind"] | undefined {
  const variant = metadata?.annotations?.[variantAnnotation];
  return (["scale", "manual", "external"] as const).find((each) => each === variant);
}

/** The configuration that a running agent was given; undefined where it has none yet. */
export function configOf({ spec }: V1Deployment): AgentConfig | undefined {
  const container = spec?.template.spec?.containers.find(({ name }) => name === agentContainer);
  const value = container?.env?.find(({ name }) => name === "HAWSER_AGENT")?.value;
  // Written by a hawser; whoever may edit it may do all else in the namespace, too.
  return value === undefined ? undefined : JSON.parse(value) as AgentConfig;
}

/** The Secret with the token that links must show. */
export function agentSecret(plan: Plan, token: string, owner: V1OwnerReference): V1Secret {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: owned(plan, owner),
    type: "Opaque",
    data: { token: btoa(token) },
  };
}

/** The token in a Secret of {@linkcode agentSecret}; undefined where there is none. */
export function tokenOf({ data }: V1Secret): string | undefined {
  const value = data?.[tokenKey];
  return value === undefined ? undefined : atob(value);
}

/** The ConfigMap with the agent's program. */
export function agentFiles(plan: Plan, program: string, owner: V1OwnerReference): V1ConfigMap {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: owned(plan, owner), data: { "agent.mjs": program } };
}

/** The Service that keeps the original pods, under a name of its own. Undefined for a preview. */
export function originService(plan: Plan, owner: V1OwnerReference): V1Service | undefined {
  if (!plan.origin) return undefined;
  const { selector, ports, publishNotReadyAddresses, ipFamilies, ipFamilyPolicy } = plan.origin;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...owned(plan, owner), name: objectNames(plan.service).origin },
    spec: {
      selector: { ...selector },
      ports: [...ports],
      ...publishNotReadyAddresses && { publishNotReadyAddresses },
      ...ipFamilies.length > 0 && { ipFamilies: [...ipFamilies], ipFamilyPolicy },
    },
  };
}

/** The Service that a preview makes; undefined for an agent that makes none. */
export function previewService(plan: Plan, owner: V1OwnerReference): V1Service | undefined {
  if (plan.ports.length === 0 || plan.labels) return undefined;
  const { external } = plan;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...owned(plan, owner), name: plan.service },
    spec: {
      ...external && external.type !== "Ingress" && { type: external.type },
      selector: { [labels.agent]: plan.service },
      ports: plan.ports.map(({ name, port, agentPort }) => ({
        ...name !== "" && { name },
        port,
        protocol: "TCP",
        targetPort: agentPort,
      })),
    },
  };
}

/** The Ingress of a preview that was asked for one. */
export function previewIngress(plan: Plan, owner: V1OwnerReference): V1Ingress | undefined {
  const { external, ports, service } = plan;
  if (external?.type !== "Ingress") return undefined;
  const { host, ingressClass } = external;
  const backend = { service: { name: service, port: { number: ports[0]?.port } } };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: owned(plan, owner),
    spec: {
      ...ingressClass !== undefined && { ingressClassName: ingressClass },
      rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
    },
  };
}

/** What makes an object go with the Deployment. */
export function ownerReference({ metadata }: V1Deployment): V1OwnerReference {
  return { apiVersion: "apps/v1", kind: "Deployment", name: metadata?.name ?? "", uid: metadata?.uid ?? "" };
}

/** Labels of every object for one Service. */
export function labelsFor(service: string): Record<string, string> {
  return { [labels.managedBy]: manager, [labels.service]: service };
}

function owned({ service, namespace }: Plan, owner: V1OwnerReference) {
  return { name: objectNames(service).agent, namespace, labels: labelsFor(service), ownerReferences: [owner] };
}

function agentCommand(image: string): string[] {
  // The name only: a registry may be called "deno.example".
  const name = image.split("@")[0]?.split("/").at(-1) ?? "";
  return name.includes("deno")
    ? ["deno", "run", "-A", "--no-lock", `${filesPath}/agent.mjs`]
    : ["node", `${filesPath}/agent.mjs`];
}
