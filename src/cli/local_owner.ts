import type { Owner } from "../agent/protocol.ts";
import type { Environment } from "../platform/proxy_settings.ts";

/** Who this hawser is to others who share a service with it: an id of its own, and `alice@laptop` for people. */
export function localOwner(env: Environment, hostname: () => string = Deno.hostname): Owner {
  const id = crypto.getRandomValues(new Uint8Array(8)).toHex();
  const user = env.USER || env.LOGNAME || env.USERNAME || "somebody";
  return { id, name: `${plain(user)}@${plain(hostname())}` };
}

/** Names of users and machines may hold anything; this one goes into objects, messages and terminals. */
function plain(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 60);
}
