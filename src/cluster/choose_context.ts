import { didYouMean } from "../platform/nearest.ts";
import { AccessError } from "./access.ts";
import type { ClusterEntry, ContextEntry, Kubeconfig, UserEntry } from "./kubeconfig.ts";

/** A context with all it stands for. */
export interface ChosenContext {
  readonly context: ContextEntry;
  readonly cluster: ClusterEntry;
  /** Undefined where the context names no user. */
  readonly user: UserEntry | undefined;
}

/** Finds a context by name, the current one if that is undefined. Throws an {@linkcode AccessError} that says what is missing and what there is. */
export function chooseContext(config: Kubeconfig, wanted: string | undefined): ChosenContext {
  const where = config.files.map((file) => `"${file}"`).join(", ");
  const names = [...config.contexts.keys()].sort();
  const offer = names.length === 0 ? "" : `; contexts there: ${list(names)}`;
  const name = wanted ?? config.currentContext;
  if (names.length === 0) {
    throw new AccessError(
      "kubeconfig",
      `There are no contexts in ${where}: get a kubeconfig for your cluster, or name one with --kubeconfig`,
    );
  }
  if (name === "") {
    throw new AccessError(
      "kubeconfig",
      `No context is chosen in ${where}: choose one with --context NAME, or for good with "kubectl config use-context NAME"${offer}`,
    );
  }
  const context = config.contexts.get(name);
  if (!context) {
    const hint = wanted === undefined ? "It is the current-context there, so choose another with --context." : "";
    throw new AccessError(
      "kubeconfig",
      `There is no context "${name}" in ${where}${offer}.${didYouMean(name, names)}${hint && ` ${hint}`}`,
    );
  }
  return { context, cluster: findCluster(config, context, where), user: findUser(config, context, where) };
}

function findCluster(config: Kubeconfig, context: ContextEntry, where: string): ClusterEntry {
  const cluster = config.clusters.get(context.cluster);
  const broken = (what: string) => new AccessError("kubeconfig", `Context "${context.name}" ${what} (${where})`);
  if (context.cluster === "") throw broken("names no cluster");
  if (!cluster) {
    throw broken(`names cluster "${context.cluster}", which is not defined: add it, or correct its name`);
  }
  if (cluster.server === "") throw broken(`names cluster "${cluster.name}", which has no server`);
  return cluster;
}

function findUser(config: Kubeconfig, context: ContextEntry, where: string): UserEntry | undefined {
  if (context.user === "") return undefined;
  const user = config.users.get(context.user);
  if (user) return user;
  throw new AccessError(
    "kubeconfig",
    `Context "${context.name}" names user "${context.user}", which is not defined: add it, or correct its name (${where})`,
  );
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 12).map((name) => `"${name}"`).join(", ");
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown;
}
