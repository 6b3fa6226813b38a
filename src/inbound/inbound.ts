import type { Match, Owner, Seen } from "../agent/protocol.ts";
import type { Api } from "../cluster/api.ts";
import type { Clock } from "../platform/clock.ts";
import type { LocalProcess } from "../platform/local_process.ts";
import type { Log } from "../platform/log.ts";
import type { ClusterDialer } from "../tunnel/cluster_dialer.ts";
import type { AgentImage } from "./agent_image.ts";
import type { ExposedPort } from "./choose_ports.ts";
import type { Expose } from "./expose.ts";
import type { Holding } from "./participation.ts";
import type { Plan } from "./plan.ts";
import type { Variant } from "./variant.ts";

/** What is to come to this laptop. */
export interface InboundRequest {
  readonly kind: Exclude<Holding["kind"], "relay">;
  readonly namespace: string;
  readonly service: string;
  readonly exposes: readonly Expose[];
  /** What requests must have; empty for an exchange and a preview. */
  readonly match: readonly Match[];
  /** What happens where the program here does not take a connection. */
  readonly fallback: "origin" | "error";
  readonly image: AgentImage;
  /** Divert again where somebody else gives the Service another selector. */
  readonly insist: boolean;
  readonly owner: Owner;
  /** How it is brought in where not in the ordinary way. */
  readonly variant?: Variant;
  /** The Service among whose pods a manual agent stands; `service` is the name of its own objects then. */
  readonly among?: string;
}

/** What bringing traffic in uses of the world. */
export interface InboundDeps {
  readonly api: Api;
  readonly dialer: Pick<ClusterDialer, "dialPods">;
  readonly clock: Clock;
  readonly log: Log;
  /** Who we are to others on this machine; see `LockDeps`. */
  readonly process?: LocalProcess;
  /** Text of the agent's program. */
  readonly agentProgram: string;
  /** Told what is being waited for; an empty text when nothing is. */
  readonly onProgress?: (state: string) => void;
  /** Told of all that comes here: `port` is the Service's. It is not asked for without. */
  readonly onSeen?: (seen: Seen, port: number) => void;
  /** Told how much more came than could be told. */
  readonly onMissed?: (count: number) => void;
}

/** Traffic that comes to this laptop. */
export interface Inbound {
  readonly plan: Plan;
  readonly ports: readonly ExposedPort[];
  /** Others who have rules for the same Service, for people. */
  readonly others: readonly string[];
  /** Requests answered here so far. */
  readonly served: number;
  /** Resolves, with a sentence, when it is over by somebody else's hand. */
  readonly over: Promise<string>;
  /**
   * Takes our rules back; the last one out restores everything. Once `hurry` has aborted, nothing is waited for that is there for requests which are under way: some may fail. Rejects with a
   * Failure that says what was left and how to finish.
   */
  close(hurry?: AbortSignal): Promise<Farewell>;
}

/** How it ended. */
export interface Farewell {
  /** The Service is what it was, and nothing is left. */
  readonly restored: boolean;
  /** Who goes on. */
  readonly others: readonly string[];
  /** The workload whose pods were not all ready in time once it had its replicas again, as `deployment/orders`. */
  readonly unready?: string;
  /** What somebody else has done to the Service meanwhile, which was left so: it is gone, or selects what they wanted. */
  readonly theirs?: "deleted" | "selector";
}
