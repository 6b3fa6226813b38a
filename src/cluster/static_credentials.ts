import type { Clock } from "../platform/clock.ts";
import { checkClientCertificate, type ClientCertificate } from "./client_certificate.ts";
import type { Credentials } from "./credentials.ts";
import type { UserEntry } from "./kubeconfig.ts";
import { readMaterial } from "./read_material.ts";

/** What a kubeconfig itself holds: a client certificate, a token, a user name and password. Certificate files are read anew for each connection. */
export class StaticCredentials implements Credentials {
  readonly #user: UserEntry;
  readonly #clock: Clock;
  #checked: ClientCertificate | undefined;

  constructor(user: UserEntry, deps: { readonly clock: Clock }) {
    this.#user = user;
    this.#clock = deps.clock;
  }

  async certificate(): Promise<ClientCertificate | undefined> {
    const { clientCertificate, clientKey, name } = this.#user;
    if (!clientCertificate || !clientKey) return undefined;
    const chain = await readMaterial(clientCertificate, `client certificate of user "${name}"`, "credentials");
    const key = await readMaterial(clientKey, `client key of user "${name}"`, "credentials");
    if (this.#checked?.chain !== chain || this.#checked.key !== key) {
      checkClientCertificate({ chain, key }, `user "${name}"`, this.#clock.wall());
      this.#checked = { chain, key };
    }
    return this.#checked;
  }

  authorization(): Promise<string | undefined> {
    const { token, username, password } = this.#user;
    if (token !== "") return Promise.resolve(`Bearer ${token.trim()}`);
    if (username === "") return Promise.resolve(undefined);
    const bytes = new TextEncoder().encode(`${username}:${password}`);
    return Promise.resolve(`Basic ${btoa(String.fromCharCode(...bytes))}`);
  }

  renew(): Promise<boolean> {
    return Promise.resolve(false);
  }
}
