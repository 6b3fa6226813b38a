import type { ProxySetting } from "../platform/proxy_settings.ts";
import type { Duplex } from "../stream/duplex.ts";
import type { DialError, DialOptions } from "../tunnel/dialer.ts";

/** The way to a destination: chosen, not yet gone. */
export interface Route {
  /** Through the cluster, through the relay inside it, or as if hawser were not there. */
  readonly via: "cluster" | "relay" | "direct";
  /**
   * Set where plain HTTP goes to an HTTP proxy of the user's own: `dial` then connects to that proxy, which has to be sent requests in absolute
   * form with its credentials (such proxies often refuse CONNECT to port 80).
   */
  readonly httpProxy?: ProxySetting;
  /** Set where the way is direct although the host may be meant as one of the cluster's: what `dial` rejects with where this machine's DNS does not know it. */
  readonly ifUnknown?: DialError;
  /** Opens a connection. Rejects with a `DialError`. */
  dial(options: DialOptions): Promise<Duplex>;
}
