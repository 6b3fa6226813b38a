import { Packet } from "dns2";
import type { Directory, Service } from "../cluster/directory.ts";
import type { Clock } from "../platform/clock.ts";
import { withDeadline } from "../platform/deadline.ts";
import type { Log } from "../platform/log.ts";
import { answer } from "./answer.ts";
import type { Forwarder } from "./forwarder.ts";
import { parseQuery, type Query } from "./query.ts";
import type { DnsRecord } from "./record.ts";
import { emptyResponse, encodeInvalid, encodeResponse, payloadLimit, type Response } from "./response.ts";

/** What a {@linkcode Responder} works with. */
export interface ResponderDeps {
  readonly directory: Directory;
  readonly clock: Clock;
  readonly log: Log;
  /** See `AnswerOptions.localAddress`. */
  readonly localAddress: (service: Service) => string | undefined;
  /** Undefined where names outside the cluster are refused. */
  readonly forwarder: Forwarder | undefined;
}

/** Milliseconds after which a query is answered with SERVFAIL: what programs wait before they ask again. */
const queryTime = 5000;
/** Types that ask for whole zones. */
const transfers = [251, Packet.TYPE.AXFR];

/** Turns query messages into response messages, whatever carries them. */
export class Responder {
  readonly #deps: ResponderDeps;
  readonly #endChanges: () => void;
  #serial: number;

  constructor(deps: ResponderDeps) {
    this.#deps = deps;
    const now = () => Math.floor(deps.clock.wall() / 1000);
    this.#serial = now();
    this.#endChanges = deps.directory.onChange(() => this.#serial = now());
  }

  /**
   * The response to a message, within 5 s; undefined where it deserves none. Over UDP it is as long as the asker takes, over TCP up to
   * 65535 bytes. Rejects only with the signal's reason.
   */
  async respond(message: Uint8Array, transport: "udp" | "tcp", signal: AbortSignal): Promise<Uint8Array | undefined> {
    const query = parseQuery(message);
    if (!query) return undefined;
    if ("rcode" in query) return encodeInvalid(query);
    const limit = transport === "tcp" ? 65535 : payloadLimit(query);
    const recursion = this.#deps.forwarder !== undefined;
    const response = await this.#decide(query, signal);
    if (!(response instanceof Uint8Array)) return encodeResponse(query, response, { limit, recursion });
    if (response.length <= limit) return response;
    return encodeResponse(query, { ...emptyResponse("NOERROR"), truncated: true }, { limit, recursion });
  }

  /** Stops following the directory. */
  close(): void {
    this.#endChanges();
  }

  /** A response, or the message of the resolver that was asked instead. */
  async #decide(query: Query, signal: AbortSignal): Promise<Response | Uint8Array> {
    const { clock, directory, forwarder, localAddress, log } = this.#deps;
    const { name, type } = query.question;
    if (query.edns && query.edns.version !== 0) return emptyResponse("BADVERS");
    if (transfers.includes(type)) return emptyResponse("REFUSED");

    const late = () => new Error(`no answer within ${queryTime / 1000} s`);
    try {
      return await withDeadline(clock, queryTime, signal, late, async (signal) => {
        const options = {
          serial: this.#serial,
          forwards: forwarder !== undefined,
          localAddress,
          resolve: this.#resolve,
        };
        const response = await answer(query.question, directory, options, signal);
        if (response) return response;
        if (forwarder) return await forwarder.forward(query.message, query.questionEnd, signal);
        const text = `"${name}" is no name of this cluster, and others are only answered with --dns-forward`;
        return emptyResponse("REFUSED", { code: "NOT_AUTHORITATIVE", text });
      });
    } catch (error) {
      signal.throwIfAborted();
      const text = error instanceof Error ? error.message : String(error);
      log.debug(`DNS: "${name}" could not be answered: ${text}`);
      return emptyResponse("SERVFAIL", { code: "NO_REACHABLE_AUTHORITY", text });
    }
  }

  /** Where an ExternalName leads outside the cluster: its CNAME record is true even if nobody can follow it. */
  readonly #resolve = async (name: string, type: "A" | "AAAA", signal: AbortSignal): Promise<readonly DnsRecord[]> => {
    try {
      return await this.#deps.forwarder?.resolve(name, type, signal) ?? [];
    } catch (error) {
      signal.throwIfAborted();
      this.#deps.log.debug(`DNS: the target "${name}" of a service could not be resolved: ${error}`);
      return [];
    }
  };
}
