import { openAccess } from "../cluster/open_access.ts";
import { openApi } from "../cluster/open_api.ts";
import { checkRights } from "../inbound/check_rights.ts";
import { manualAgents } from "../inbound/manual_agents.ts";
import { paths } from "../inbound/paths.ts";
import { recover as recoverService } from "../inbound/recover.ts";
import { unlessGone } from "../inbound/unless_gone.ts";
import { LocalProcess } from "../platform/local_process.ts";
import { accessOptions } from "./connection_options.ts";
import type { CliDeps } from "./deps.ts";
import type { RecoverInvocation } from "./grammar/recover.ts";
import { localOwner } from "./local_owner.ts";

/** `hawser recover`. JSON: `{ services: { service, selector, agent, workload?, ended[] }[] }`; `selector`, `agent` and `workload` tell what there was to put back. */
export async function recover({ options, words }: RecoverInvocation, deps: CliDeps): Promise<number> {
  const { terminal, env, os, clock, log } = deps;
  const interrupts = deps.watchInterrupts();
  const access = await openAccess(accessOptions(options), { env, clock, log });
  const api = openApi(access, { clock, log });
  try {
    const { namespace } = access;
    await checkRights("recover", namespace, api, interrupts.signal);
    const process = await LocalProcess.open({ os, state: () => deps.paths().state });
    const isThere = async (service: string) =>
      await unlessGone(api.get(`${paths.services(namespace)}/${service}`, {}, interrupts.signal)) !== undefined;
    const services = [];
    const onProgress = (state: string) => terminal.progress(state);
    for (const service of words) {
      terminal.progress(`Putting "${service}" back…`);
      const onWait = (holder: string) => terminal.progress(`${holder} is at "${service}" just now; waiting…`);
      const holder = localOwner(access.user, { env }).name;
      const recovering = recoverService(
        { namespace, service, holder, onWait },
        { api, clock, process, onProgress },
        interrupts.signal,
      );
      const { selector = false, agent = false, workload, unready, ended = [] } = await recovering ?? {};
      services.push({ service, selector, agent, workload, ended });
      if (options.output === "text") {
        const given = selector || workload !== undefined;
        const found = given ? "service" : agent ? "agent" : await isThere(service) ? "nothing" : "no service";
        terminal.print(said(service, namespace, found, ended));
        if (!given && !agent) {
          for (const name of await manualAgents(namespace, service, api, interrupts.signal)) {
            terminal.tell(
              `An agent of --mode manual stands among its pods; this removes it: hawser recover ${name} -n ${namespace}`,
            );
          }
        }
      }
      if (unready !== undefined) {
        terminal.tell(`No pod of ${unready} is ready yet: its callers get errors until one is.`);
      }
    }
    if (options.output === "json") terminal.printJson({ services });
    return 0;
  } finally {
    api.close();
    interrupts.close();
  }
}

/** `found` is what there was to do: a service to be given back, or an agent alone, as of a preview or of --mode manual. */
function said(
  service: string,
  namespace: string,
  found: "service" | "agent" | "nothing" | "no service",
  ended: readonly string[],
): string {
  const whose = ended.length > 0 ? ` Ended: ${ended.join(", ")}.` : "";
  switch (found) {
    case "service":
      return `Service "${service}" in namespace "${namespace}" is what it was.${whose}`;
    case "agent":
      return `The agent of "${service}" in namespace "${namespace}" and all that belonged to it are gone.${whose}`;
    case "nothing":
      return `There was nothing of hawser's at service "${service}" in namespace "${namespace}".${whose}`;
    case "no service":
      return `There is no service "${service}" in namespace "${namespace}", and nothing of hawser's for one.${whose}`;
  }
}
