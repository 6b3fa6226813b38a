import type { ControlAnswer, ControlPage, ControlRequest } from "../proxy/control_pages.ts";
import type { Target } from "../tunnel/dialer.ts";
import type { MadeUpAddresses } from "./made_up_addresses.ts";
import type { TargetPorts } from "./target_ports.ts";

/** What the pages work with. */
export interface HookPagesDeps {
  /** Whether a destination is the cluster's, or reached through it. Never rejects. */
  isClusters(target: Target): Promise<boolean>;
  readonly addresses: MadeUpAddresses;
  readonly ports: Pick<TargetPorts, "portFor">;
  /** This machine's own name, which is never the cluster's: a JVM looks it up at every start. */
  readonly ownName: string;
}

/**
 * The pages by which hooks inside programs (the Java agent, the Node and Python hooks) find the cluster. They ask for no token, as what they
 * lead to is what the proxy gives to everybody on this machine; where that asks for a password there must be no such pages.
 *
 * - `GET /address?host=NAME` answers an address that stands for a name of the cluster, or nothing.
 * - `PUT /port?host=HOST&port=N` answers the number of a port of 127.0.0.1 that leads there, or nothing where it is none of the cluster's. By
 *   PUT, which no web page can send unasked.
 */
export function hookPages(deps: HookPagesDeps): Record<string, ControlPage> {
  const own = deps.ownName.toLowerCase();
  const isClusters = async (target: Target) => target.host.toLowerCase() !== own && await deps.isClusters(target);
  return {
    "GET /address": {
      open: true,
      async respond({ query }) {
        const host = hostOf(query);
        if (host === undefined) return badRequest("host");
        // Programs ask before they have a port; most have a name of their own for each.
        return plain(await isClusters({ host, port: 0 }) ? deps.addresses.addressOf(host) : "");
      },
    },
    "PUT /port": {
      open: true,
      async respond({ query }: ControlRequest) {
        const host = hostOf(query);
        if (host === undefined) return badRequest("host");
        const port = Number(query.get("port"));
        if (!Number.isInteger(port) || port < 1 || port > 65535) return badRequest("port");
        const target = { host: deps.addresses.nameOf(host) ?? host, port };
        const found = await isClusters(target) ? await deps.ports.portFor(target) : undefined;
        return plain(found === undefined ? "" : String(found));
      },
    },
  };
}

/** As programs know it: at most 253 characters, as in DNS; IPv6 without brackets or zone. */
function hostOf(query: URLSearchParams): string | undefined {
  const host = query.get("host") ?? "";
  return host === "" || host.length > 254 ? undefined : host;
}

function plain(text: string): ControlAnswer {
  return { type: "text/plain", text };
}

function badRequest(name: string): ControlAnswer {
  return { status: 400, type: "text/plain", text: `"${name}" is missing or none` };
}
