import { userInfo } from "node:os";
import type { Owner } from "../agent/protocol.ts";
import type { Environment } from "../platform/proxy_settings.ts";

/** Where names come from. */
export interface LocalOwnerDeps {
  readonly env: Environment;
  readonly hostname: () => string;
  /** What the system calls the user. May throw: containers run as users without a name. */
  readonly systemUser: () => string;
}

/**
 * Who this hawser is to others who share a service with it: an id of its own, and `alice@laptop` for people. `kubernetesUser` is the context's, for where the machine
 * does not say who its user is; it may be empty.
 */
export function localOwner(kubernetesUser: string, deps: Partial<LocalOwnerDeps> & Pick<LocalOwnerDeps, "env">): Owner {
  const { env, hostname = Deno.hostname, systemUser = () => userInfo().username } = deps;
  const id = crypto.getRandomValues(new Uint8Array(8)).toHex();
  const user = env.USER || env.LOGNAME || env.USERNAME || ifAny(systemUser) || kubernetesUser || "somebody";
  return { id, name: `${plain(user)}@${plain(hostname())}` };
}

function ifAny(systemUser: () => string): string {
  try {
    return systemUser();
  } catch {
    return "";
  }
}

/** Names of users and machines may hold anything; this one goes into objects, messages and terminals. */
function plain(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 60);
}
