import type { ContainerSpec, PodObject } from "./pod_object.ts";

interface SecurityContext {
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly seccompProfile?: { readonly type?: string };
  readonly sysctls?: readonly { readonly name: string }[];
}

const safeSysctls = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ping_group_range",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_syncookies",
]);
const restrictedVolumes = ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim"]
  .concat("projected", "secret");

/**
 * Why a pod may not be where a level of the Pod Security Standards (`baseline`, `restricted`) is enforced, in the words of the admission
 * plugin; undefined if it may. Of the controls, those that pods of this project could get wrong.
 */
export function podSecurityViolation(pod: PodObject, level: string, version = "latest"): string | undefined {
  if (level !== "baseline" && level !== "restricted") return undefined;
  const { initContainers = [], containers } = pod.spec;
  const all = [...initContainers, ...containers];
  const context = (pod.spec.securityContext ?? {}) as SecurityContext; // a PodSecurityContext
  const of = (container: ContainerSpec) => (container.securityContext ?? {}) as SecurityContext; // as its name says
  const broken: string[] = [];
  const each = (wrong: (own: SecurityContext) => boolean, rule: string, must: string, podToo = false) => {
    const names = all.filter((container) => wrong(of(container))).map(({ name }) => `"${name}"`);
    if (names.length === 0) return;
    const who = `container${names.length > 1 ? "s" : ""} ${names.join(", ")}`;
    broken.push(`${rule} (${podToo ? "pod or " : ""}${who} must ${must})`);
  };
  const spaces = ["hostNetwork", "hostPID", "hostIPC"].filter((field) => pod.spec[field] === true);
  if (spaces.length > 0) broken.push(`host namespaces (${spaces.map((field) => `${field}=true`).join(", ")})`);
  each((own) => own.privileged === true, "privileged", "not set securityContext.privileged=true");
  const sysctls = (context.sysctls ?? []).map(({ name }) => name).filter((name) => !safeSysctls.has(name));
  if (sysctls.length > 0) broken.push(`forbidden sysctls (${sysctls.join(", ")})`);
  const volumes = (pod.spec.volumes ?? []) as readonly Readonly<Record<string, unknown>>[]; // a list of volumes
  for (const volume of volumes) {
    const type = Object.keys(volume).find((key) => key !== "name") ?? "";
    if (level === "restricted" && !restrictedVolumes.includes(type)) {
      broken.push(`restricted volume types (volume "${volume.name}" uses restricted volume type "${type}")`);
    } else if (type === "hostPath") broken.push(`hostPath volumes (volume "${volume.name}")`);
  }
  if (level === "restricted") {
    each(
      (own) => own.allowPrivilegeEscalation !== false,
      "allowPrivilegeEscalation != false",
      "set securityContext.allowPrivilegeEscalation=false",
    );
    each(
      ({ capabilities }) =>
        !capabilities?.drop?.includes("ALL") || (capabilities.add ?? []).some((name) => name !== "NET_BIND_SERVICE"),
      "unrestricted capabilities",
      'set securityContext.capabilities.drop=["ALL"]',
    );
    each(
      (own) => (own.runAsNonRoot ?? context.runAsNonRoot) !== true,
      "runAsNonRoot != true",
      "set securityContext.runAsNonRoot=true",
      true,
    );
    if (context.runAsUser === 0) broken.push("runAsUser=0 (pod must not set runAsUser=0)");
    each((own) => own.runAsUser === 0, "runAsUser=0", "not set runAsUser=0");
    each(
      (own) => !["RuntimeDefault", "Localhost"].includes((own.seccompProfile ?? context.seccompProfile)?.type ?? ""),
      "seccompProfile",
      'set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"',
      true,
    );
  }
  return broken.length > 0 ? `violates PodSecurity "${level}:${version}": ${broken.join(", ")}` : undefined;
}
