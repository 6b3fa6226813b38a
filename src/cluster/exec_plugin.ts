import type { Clock } from "../platform/clock.ts";
import { checkClientCertificate, type ClientCertificate } from "./client_certificate.ts";
import type { Credentials } from "./credentials.ts";
import type { ExecCredential } from "./run_exec_plugin.ts";
import { SharedRun } from "./shared_run.ts";

/** How a credential plugin is used. */
export interface ExecPluginOptions {
  /** Name of the kubeconfig user. */
  readonly user: string;
  /** Runs the plugin. */
  run(signal: AbortSignal): Promise<ExecCredential>;
}

/** A credential that ends so soon is not worth a request. */
const skew = 20_000;
/** Within this time after a run a 401 is about the credential before it. */
const settling = 2_000;

/** Credentials that a program makes: kept in memory until they expire or are refused, one run at a time for all who ask. */
export class ExecPlugin implements Credentials {
  readonly #options: ExecPluginOptions;
  readonly #clock: Clock;
  #kept: ExecCredential | undefined;
  #keptAt = -Infinity;
  #running: SharedRun<ExecCredential> | undefined;

  constructor(options: ExecPluginOptions, deps: { readonly clock: Clock }) {
    this.#options = options;
    this.#clock = deps.clock;
  }

  async certificate(signal: AbortSignal): Promise<ClientCertificate | undefined> {
    return (await this.#get(signal)).certificate;
  }

  async authorization(signal: AbortSignal): Promise<string | undefined> {
    const { token } = await this.#get(signal);
    return token === undefined ? undefined : `Bearer ${token}`;
  }

  async renew(signal: AbortSignal): Promise<boolean> {
    if (this.#clock.now() - this.#keptAt < settling) return true;
    const refused = this.#kept;
    const fresh = await this.#run(signal);
    return fresh.token !== refused?.token || fresh.certificate?.chain !== refused?.certificate?.chain;
  }

  async #get(signal: AbortSignal): Promise<ExecCredential> {
    const kept = this.#kept;
    if (kept && this.#clock.wall() < kept.expires - skew) return kept;
    return await this.#run(signal);
  }

  async #run(signal: AbortSignal): Promise<ExecCredential> {
    this.#running ??= new SharedRun(async (all) => {
      try {
        const fresh = await this.#options.run(all);
        if (fresh.certificate) {
          checkClientCertificate(fresh.certificate, `user "${this.#options.user}"`, this.#clock.wall());
        }
        this.#kept = fresh;
        this.#keptAt = this.#clock.now();
        return fresh;
      } finally {
        this.#running = undefined;
      }
    });
    return await this.#running.join(signal);
  }
}
