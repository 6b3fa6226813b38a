import type { V1Namespace, V1Service } from "@kubernetes/client-node";
import { loadKubeconfig } from "../cluster/load_kubeconfig.ts";
import { openAccess } from "../cluster/open_access.ts";
import { openApi } from "../cluster/open_api.ts";
import { workloadWords } from "../cluster/workload.ts";
import { isAlive } from "../platform/process.ts";
import type { Access } from "../cluster/access.ts";
import type { Api } from "../cluster/api.ts";
import type { Candidate, CompletionLine, CompletionSources } from "./complete.ts";
import { accessOptions } from "./connection_options.ts";
import { readOptions } from "./define_command.ts";
import type { CliDeps } from "./deps.ts";
import { globalFlags } from "./global_flags.ts";
import { configActions } from "./grammar/config.ts";
import { SessionNotes } from "./session_note.ts";
import { defaultsName, settableFlags } from "./settings.ts";

/** Where candidates come from: the kubeconfig, the cluster, the state folder, the configuration file. */
export const completionSources: CompletionSources = {
  async context(line, { env }) {
    const config = await loadKubeconfig(globals(line).kubeconfig, env);
    return plain(config?.contexts.keys() ?? []);
  },
  namespace: (line, deps, signal) =>
    withApi(line, deps, async (api) => {
      const { items } = await api.list<V1Namespace>("/api/v1/namespaces", {}, signal);
      return plain(items.flatMap(({ metadata }) => metadata?.name ?? []));
    }),
  service: (line, deps, signal) => withApi(line, deps, (api, { namespace }) => services(api, namespace, signal)),
  /** Targets of `forward`: its services, and the kinds that take a name of their own. */
  target: (line, deps, signal) =>
    withApi(line, deps, async (api, { namespace }) => [
      ...await services(api, namespace, signal),
      ...plain(await workloadWords(line.current, api, namespace, signal)),
    ]),
  workload: (line, deps, signal) =>
    withApi(
      line,
      deps,
      async (api, { namespace }) => plain(await workloadWords(line.current, api, namespace, signal)),
    ),
  async session(_, { paths }) {
    const notes = await new SessionNotes(paths().state).all();
    return notes.filter(({ pid }) => isAlive(pid)).map(({ name, context, namespace }) => ({
      word: name,
      what: `${context}, namespace ${namespace}`,
    }));
  },
  profile: (_, { settings }) =>
    Promise.resolve(plain([...settings.sections.keys()].filter((name) => name !== defaultsName))),
  config(line, deps, signal) {
    const [action, key] = line.words;
    if (action === undefined) return Promise.resolve(plain(configActions));
    if (action === "use" || action === "drop") return completionSources.profile(line, deps, signal);
    const flags = settableFlags(deps.table);
    if (key === undefined || action === "unset") {
      return Promise.resolve([...flags].map(([word, { summary }]) => ({ word, what: summary })));
    }
    return Promise.resolve(plain(action === "set" ? flags.get(key)?.choices ?? [] : []));
  },
};

function plain(words: Iterable<string>): Candidate[] {
  return [...words].map((word) => ({ word, what: "" }));
}

function globals(line: CompletionLine) {
  return readOptions(globalFlags, line.given);
}

async function withApi(
  line: CompletionLine,
  { env, log, clock }: CliDeps,
  action: (api: Api, access: Access) => Promise<readonly Candidate[]>,
): Promise<readonly Candidate[]> {
  const access = await openAccess(accessOptions(globals(line)), { env, log, clock, interactive: false });
  const api = openApi(access, { log, clock });
  try {
    return await action(api, access);
  } finally {
    api.close();
  }
}

async function services(api: Api, namespace: string, signal: AbortSignal): Promise<Candidate[]> {
  const { items } = await api.list<V1Service>(`/api/v1/namespaces/${namespace}/services`, {}, signal);
  return items.map(({ metadata, spec }) => ({
    word: metadata?.name ?? "",
    what: (spec?.ports ?? []).map(({ port, name }) => name ? `${port} ${name}` : `${port}`).join(", "),
  }));
}
