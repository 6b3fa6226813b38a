import type { Clock } from "../platform/clock.ts";
import { AccessError } from "./access.ts";
import type { Credentials } from "./credentials.ts";
import type { UserEntry } from "./kubeconfig.ts";
import { StaticCredentials } from "./static_credentials.ts";

/** As long as client-go keeps a token it has read. */
const keptFor = 60_000;

/** A bearer token in a file that somebody renews (`tokenFile`, service accounts): read again each minute and after a 401. */
export class TokenFile implements Credentials {
  readonly #user: UserEntry;
  readonly #rest: StaticCredentials;
  readonly #clock: Clock;
  #token = "";
  #readAt = -Infinity;

  constructor(user: UserEntry, deps: { readonly clock: Clock }) {
    this.#user = user;
    this.#rest = new StaticCredentials(user, deps);
    this.#clock = deps.clock;
  }

  certificate(): ReturnType<StaticCredentials["certificate"]> {
    return this.#rest.certificate();
  }

  async authorization(): Promise<string> {
    if (this.#clock.now() - this.#readAt >= keptFor) await this.#read();
    return `Bearer ${this.#token}`;
  }

  async renew(): Promise<boolean> {
    const refused = this.#token;
    await this.#read();
    return this.#token !== refused;
  }

  async #read(): Promise<void> {
    const where = `The token of user "${this.#user.name}" cannot be read from "${this.#user.tokenFile}"`;
    let text: string;
    try {
      text = await Deno.readTextFile(this.#user.tokenFile);
    } catch (error) {
      const reason = error instanceof Deno.errors.NotFound ? "there is no such file" : "it may not be read";
      throw new AccessError("credentials", `${where}: ${reason}`, { cause: error });
    }
    // Files end in a line feed, headers must not.
    const token = text.trim();
    if (token === "") throw new AccessError("credentials", `${where}: the file is empty`);
    // deno-lint-ignore no-control-regex
    if (/[\x00-\x20\x7f]/.test(token)) throw new AccessError("credentials", `${where}: it holds more than a token`);
    this.#token = token;
    this.#readAt = this.#clock.now();
  }
}
