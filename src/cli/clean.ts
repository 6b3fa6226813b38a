import { openAccess } from "../cluster/open_access.ts";
import { openApi } from "../cluster/open_api.ts";
import { checkRights } from "../inbound/check_rights.ts";
import { clean as cleanServices, type Cleaned } from "../inbound/clean.ts";
import type { Held } from "../inbound/survey.ts";
import { relayUser } from "../inbound/names.ts";
import { LocalProcess } from "../platform/local_process.ts";
import { accessOptions } from "./connection_options.ts";
import type { CliDeps } from "./deps.ts";
import type { CleanInvocation } from "./grammar/clean.ts";
import { localOwner } from "./local_owner.ts";

/**
 * `hawser clean`. JSON: `{ services: { namespace, service, outcome: "restored"|"alive"|"failed", owners[], error? }[] }`. Exits with 1 where one could not be
 * put back.
 */
export async function clean({ options }: CleanInvocation, deps: CliDeps): Promise<number> {
  const { terminal, env, os, paths, clock, log } = deps;
  const { dryRun, allNamespaces, output } = options;
  const interrupts = deps.watchInterrupts();
  const access = await openAccess(accessOptions(options), { env, clock, log });
  const api = openApi(access, { clock, log });
  try {
    const namespace = allNamespaces ? undefined : access.namespace;
    await checkRights(dryRun ? "clean --dry-run" : "clean", namespace, api, interrupts.signal);
    const process = await LocalProcess.open({ os, state: () => paths().state });
    const done = await cleanServices(
      {
        namespace,
        dryRun,
        holder: localOwner(access.user, { env }).name,
        onWait: (participants, seconds) =>
          terminal.progress(
            `Watching for up to ${seconds} s whether ${participants} ${
              participants === 1 ? "developer lives" : "developers live"
            }…`,
          ),
      },
      { api, clock, process },
      interrupts.signal,
    );
    if (output === "json") terminal.printJson({ services: done.map(toJson) });
    else if (done.length === 0) terminal.print("Nothing of hawser's is here.");
    else terminal.print(done.map((each) => said(each, dryRun)).join("\n"));
    return done.some(({ outcome }) => outcome === "failed") ? 1 : 0;
  } finally {
    api.close();
    interrupts.close();
  }
}

function toJson(cleaned: Cleaned) {
  const { namespace, service, participants } = cleaned.held;
  return {
    namespace,
    service,
    outcome: cleaned.outcome,
    owners: [...new Set(participants.map(({ owner }) => owner))],
    ...cleaned.outcome === "failed" && { error: cleaned.error.message },
  };
}

function said(cleaned: Cleaned, dryRun: boolean): string {
  const { namespace, service, participants } = cleaned.held;
  const owners = [...new Set(participants.map(({ owner }) => owner))].join(", ");
  const user = relayUser(service);
  const subject = user === undefined ? `${namespace}/${service}` : `${namespace}: the relay of "${user}"`;
  const [done, todo] = user === undefined ? ["put back", "would be put back"] : ["removed", "would be removed"];
  switch (cleaned.outcome) {
    case "alive":
      return `${subject}: in use by ${owners || "somebody"}, left alone`;
    case "failed":
      return `${subject}: ${cleaned.error.message}`;
    case "restored":
      return `${subject}: ${dryRun ? todo : done}${scaled(cleaned.held)}${owners === "" ? "" : `; ${owners} is gone`}`;
  }
}

function scaled({ scaled }: Held): string {
  return scaled ? `, ${scaled.workload} with ${scaled.replicas} replicas` : "";
}
