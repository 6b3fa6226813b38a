import type { Clock } from "../platform/clock.ts";
import { withDeadline } from "../platform/deadline.ts";
import type { Log } from "../platform/log.ts";
import { AccessError } from "./access.ts";
import type { ClientCertificate } from "./client_certificate.ts";
import type { Credentials } from "./credentials.ts";
import { readMaterial } from "./read_material.ts";
import { SharedRun } from "./shared_run.ts";

/** The settings of `auth-provider: oidc`, under the names they have in a kubeconfig. */
export type OidcConfig = Readonly<Record<string, string | undefined>>;

/** As client-go: a token that ends so soon is refreshed first. */
const skew = 10_000;
const timeout = 15_000;
const answerLimit = 1024 * 1024;

/**
 * OpenID Connect by the kubeconfig's `auth-provider: oidc`: the id-token until it expires, then the refresh token is exchanged for a new one at the
 * issuer (OpenID Connect Discovery 1.0, RFC 6749 §6). New tokens stay in memory.
 */
export class Oidc implements Credentials {
  readonly #user: string;
  readonly #config: OidcConfig;
  readonly #clock: Clock;
  readonly #log: Log;
  #idToken: string;
  #refreshToken: string;
  #refreshing: SharedRun<void> | undefined;

  constructor(user: string, config: OidcConfig, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#user = user;
    this.#config = config;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#idToken = config["id-token"] ?? "";
    this.#refreshToken = config["refresh-token"] ?? "";
  }

  certificate(): Promise<ClientCertificate | undefined> {
    return Promise.resolve(undefined);
  }

  async authorization(signal: AbortSignal): Promise<string> {
    if (this.#clock.wall() >= expiry(this.#idToken) - skew) await this.#refreshOnce(signal);
    return `Bearer ${this.#idToken}`;
  }

  async renew(signal: AbortSignal): Promise<boolean> {
    if (this.#refreshToken === "") return false;
    const refused = this.#idToken;
    await this.#refreshOnce(signal);
    return this.#idToken !== refused;
  }

  /** One exchange for all who wait: refresh tokens may be good for one use only. */
  async #refreshOnce(signal: AbortSignal): Promise<void> {
    this.#refreshing ??= new SharedRun((all) => this.#refresh(all).finally(() => this.#refreshing = undefined));
    await this.#refreshing.join(signal);
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const issuer = this.#config["idp-issuer-url"] ?? "";
    const client = this.#config["client-id"] ?? "";
    if (this.#refreshToken === "" || issuer === "" || client === "") {
      const missing = this.#refreshToken === "" ? "refresh-token" : issuer === "" ? "idp-issuer-url" : "client-id";
      throw this.#fault(`has expired and cannot be refreshed, as the kubeconfig has no ${missing}: log in again`);
    }
    const late = () => this.#fault(`could not be refreshed: no answer from "${issuer}" within ${timeout / 1000} s`);
    const ca = await this.#authority();
    const http = Deno.createHttpClient({ caCerts: ca === undefined ? [] : [ca] });
    try {
      await withDeadline(this.#clock, timeout, signal, late, async (bounded) => {
        const endpoint = await this.#discover(issuer, http, bounded);
        await this.#exchange(endpoint, client, http, bounded);
      });
    } catch (error) {
      if (error instanceof AccessError || signal.aborted) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw this.#fault(`could not be refreshed at "${issuer}": ${reason}`);
    } finally {
      http.close();
    }
  }

  async #discover(issuer: string, client: Deno.HttpClient, signal: AbortSignal): Promise<TokenEndpoint> {
    const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const { status, body } = await answer(await fetch(url, { client, signal }));
    const found = body["token_endpoint"];
    if (status !== 200 || typeof found !== "string" || !URL.canParse(found)) {
      throw this.#fault(
        `cannot be refreshed: "${url}" is no OpenID Connect discovery document (status ${status}); check idp-issuer-url`,
      );
    }
    if (new URL(issuer).protocol === "https:" && new URL(found).protocol !== "https:") {
      throw this.#fault(`is not refreshed: the issuer "${issuer}" wants it sent in clear text`);
    }
    const methods = body["token_endpoint_auth_methods_supported"];
    const basic = !Array.isArray(methods) || methods.includes("client_secret_basic") ||
      !methods.includes("client_secret_post");
    return { url: found, basic };
  }

  async #exchange(endpoint: TokenEndpoint, id: string, client: Deno.HttpClient, signal: AbortSignal): Promise<void> {
    const secret = this.#config["client-secret"] ?? "";
    const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: this.#refreshToken });
    const headers = new Headers({ Accept: "application/json" });
    if (secret !== "" && endpoint.basic) {
      // RFC 6749 §2.3.1: both are form-encoded first.
      const pair = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`;
      headers.set("Authorization", `Basic ${btoa(pair)}`);
    } else {
      form.set("client_id", id);
      if (secret !== "") form.set("client_secret", secret);
    }
    const { status, body } = await answer(
      await fetch(endpoint.url, { method: "POST", body: form, headers, redirect: "error", client, signal }),
    );
    const idToken = body["id_token"];
    if (status === 200 && typeof idToken === "string") return this.#keep(idToken, body["refresh_token"]);
    const error = typeof body["error"] === "string" ? body["error"] : `status ${status}`;
    if (error === "invalid_grant") {
      throw this.#fault(
        `has expired, and so has the refresh token (${error}): log in again with the tool that made this kubeconfig`,
      );
    }
    if (status === 200) {
      throw this.#fault(
        `was not refreshed: the issuer answered without an id_token; does the client have the scope "openid"?`,
      );
    }
    throw this.#fault(`was not refreshed by the issuer (${error}): check client-id and client-secret, or log in again`);
  }

  #keep(idToken: string, refreshToken: unknown): void {
    this.#idToken = idToken;
    if (typeof refreshToken !== "string" || refreshToken === "" || refreshToken === this.#refreshToken) return;
    this.#refreshToken = refreshToken;
    this.#log.warn(
      `The issuer replaced the refresh token of user "${this.#user}"; it is not written to the kubeconfig, so other programs may have to log in again`,
    );
  }

  async #authority(): Promise<string | undefined> {
    const base64 = this.#config["idp-certificate-authority-data"];
    const path = this.#config["idp-certificate-authority"];
    const what = `idp-certificate-authority of user "${this.#user}"`;
    if (base64) return await readMaterial({ kind: "data", base64 }, what, "credentials");
    return path ? await readMaterial({ kind: "file", path }, what, "credentials") : undefined;
  }

  #fault(what: string): AccessError {
    return new AccessError("credentials", `The OpenID Connect login of user "${this.#user}" ${what}`);
  }
}

interface TokenEndpoint {
  readonly url: string;
  /** Takes the client's secret in the Authorization header, which RFC 6749 prefers. */
  readonly basic: boolean;
}

/** A JSON object, empty where the answer is none. Bounded by what a well-meaning issuer sends. */
async function answer(response: Response): Promise<{ status: number; body: Readonly<Record<string, unknown>> }> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > answerLimit) throw new RangeError(`an answer of more than ${answerLimit} bytes`);
  }
  try {
    const value: unknown = JSON.parse(text);
    const object = typeof value === "object" && value !== null && !Array.isArray(value);
    return { status: response.status, body: object ? { ...value } : {} };
  } catch {
    return { status: response.status, body: {} };
  }
}

/** `exp` of a JWT in milliseconds since the epoch (RFC 7519 §4.1.4); long ago where it cannot be told. */
function expiry(jwt: string): number {
  try {
    const [, payload = ""] = jwt.split(".");
    const { exp } = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    return typeof exp === "number" ? exp * 1000 : -Infinity;
  } catch {
    return -Infinity;
  }
}
