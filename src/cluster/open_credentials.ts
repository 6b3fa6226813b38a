import type { AccessDeps } from "./open_access.ts";
import { AccessError } from "./access.ts";
import type { ChosenContext } from "./choose_context.ts";
import type { Credentials } from "./credentials.ts";
import { StaticCredentials } from "./static_credentials.ts";
import { TokenFile } from "./token_file.ts";

/** The way in which the user of a context proves who they are. Throws an {@linkcode AccessError} where hawser knows none. */
export function openCredentials(chosen: ChosenContext, deps: AccessDeps): Credentials {
  const { user } = chosen;
  if (!user) return anonymous;
  if (user.tokenFile !== "") return new TokenFile(user, deps);
  if (user.token !== "" || user.username !== "" || user.clientCertificate) return new StaticCredentials(user, deps);
  throw new AccessError("credentials", "todo");
}

/** Nobody, as which some clusters let one in. */
const anonymous: Credentials = {
  certificate: () => Promise.resolve(undefined),
  authorization: () => Promise.resolve(undefined),
  renew: () => Promise.resolve(false),
};
