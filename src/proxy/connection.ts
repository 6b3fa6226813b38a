import type { ProxiedScheme } from "../platform/proxy_settings.ts";
import type { SparingWarnings } from "../platform/sparing_warnings.ts";
import { ClientConnection, type ClientConnectionDeps } from "../stream/client_connection.ts";
import type { Duplex } from "../stream/duplex.ts";
import type { HttpPatience } from "../stream/http_connection.ts";
import { DialError, type Target, targetName } from "../tunnel/dialer.ts";
import { concernsCluster } from "./concerns_cluster.ts";
import type { ControlPage } from "./control_pages.ts";
import { isLoopback } from "./local_host.ts";
import type { Route } from "./route.ts";
import type { Router } from "./routing.ts";
import type { Credentials } from "./socks.ts";

/** What all connections of one front door share. */
export interface FrontDoor extends ClientConnectionDeps {
  readonly port: number;
  readonly credentials: Credentials | undefined;
  readonly router: Pick<Router, "route"> & Partial<Pick<Router, "carriesDatagrams">>;
  readonly pages: Readonly<Record<string, ControlPage>>;
  readonly token: string;
  readonly patience: HttpPatience;
  readonly warnings: Pick<SparingWarnings, "warn">;
}

/** One client's connection to the front door. */
export class Connection extends ClientConnection {
  readonly door: FrontDoor;
  /** The client's address, without its port. */
  readonly from: string;
  #used = false;
  #clientGone = false;

  constructor(stream: Duplex, remote: string, door: FrontDoor) {
    super(stream, door);
    this.door = door;
    this.from = remote.replace(/:\d+$/, "");
  }

  /** Whether it was ever led to a destination, not only to the tool's own pages. */
  get used(): boolean {
    return this.#used;
  }

  /**
   * Opens a connection for a client that learns nothing of the reason where it cannot be had: people are told instead, where the cluster is concerned. Rejects with
   * a {@linkcode DialError}.
   */
  async open(target: Target, scheme: ProxiedScheme): Promise<Duplex> {
    let route: Route | undefined;
    try {
      route = await this.route(target, scheme);
      return await this.dial(route, target, false);
    } catch (error) {
      const wanted = !this.#clientGone && !this.signal.aborted;
      if (wanted && error instanceof DialError && concernsCluster(error, route)) {
        this.door.warnings.warn(targetName(target), error.message);
      }
      throw error;
    }
  }

  /** The way to a destination; never to ourselves. Rejects with a {@linkcode DialError}. */
  async route(target: Target, scheme: ProxiedScheme): Promise<Route> {
    if (target.port === this.door.port && isLoopback(target.host)) {
      throw new DialError(
        "forbidden",
        `"${target.host}:${target.port}" is hawser's own port, which it does not connect to itself`,
      );
    }
    this.#used = true;
    try {
      return await this.door.router.route(target, scheme, this.signal);
    } catch (error) {
      throw this.#explain(error, target);
    }
  }

  /** Goes a route, but gives up when the client is gone. Rejects with a {@linkcode DialError}. */
  async dial(route: Route, target: Target, early: boolean): Promise<Duplex> {
    const gone = new AbortController();
    const stopWatching = this.whenGone(() => {
      this.#clientGone = true;
      gone.abort(new DialError("unreachable", "The client went away"));
    });
    const signal = AbortSignal.any([this.signal, gone.signal]);
    try {
      const stream = await route.dial({ signal, early, client: this.from });
      if (!signal.aborted) return stream;
      stream.reset();
      throw signal.reason;
    } catch (error) {
      throw this.#explain(error, target);
    } finally {
      stopWatching();
    }
  }

  #explain(error: unknown, target: Target): DialError {
    const known = error instanceof DialError ? error : new DialError(
      "unreachable",
      `"${target.host}:${target.port}" cannot be reached: ${error instanceof Error ? error.message : error}`,
      {
        cause: error,
      },
    );
    this.door.log.debug(known.message);
    return known;
  }
}
