import { AnnouncedStream } from "../agent/announced_stream.ts";
import type { Clock } from "../platform/clock.ts";
import type { Duplex } from "../stream/duplex.ts";
import { type Dialer, DialError, type DialOptions, type Target, targetName } from "../tunnel/dialer.ts";
import type { AgentLinks } from "./agent_links.ts";

/** What a {@linkcode RelayDialer} needs. */
export interface RelayDialerDeps {
  /** Those to the relay. */
  readonly links: Pick<AgentLinks, "open" | "size">;
  readonly clock: Clock;
}

/** Milliseconds that a request waits for a program's first bytes, to travel with them: most programs speak first. */
const announcementDelay = 1;

/** Dials from inside the cluster, as the relay's pod would: any address it can reach, any name its DNS knows, TCP and UDP. */
export class RelayDialer implements Dialer {
  readonly #links: RelayDialerDeps["links"];
  readonly #clock: Clock;

  constructor({ links, clock }: RelayDialerDeps) {
    this.#links = links;
    this.#clock = clock;
  }

  /** Whether a link to the relay stands. */
  get linked(): boolean {
    return this.#links.size > 0;
  }

  /** `asked` is the target as the program knows it, for what goes wrong. */
  async dial(target: Target, { signal, early }: DialOptions, asked: Target = target): Promise<Duplex> {
    signal.throwIfAborted();
    const { host, port, network = "tcp" } = target;
    const carrier = this.#links.open();
    if (!carrier) {
      throw new DialError(
        "unreachable",
        `Cannot reach ${targetName(asked)}: the relay is away, and is being brought back`,
      );
    }
    const stream = new AnnouncedStream(
      carrier,
      { network, host, port, early },
      this.#clock,
      {
        delay: early ? announcementDelay : 0,
        refusal: (kind, message) =>
          new DialError(kind, host === asked.host ? message : `${targetName(asked)}: ${message}`),
      },
    );
    if (early) return stream;
    const abort = () => stream.reset();
    signal.addEventListener("abort", abort, { once: true });
    try {
      await stream.accepted;
      return stream;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof DialError) throw error;
      const message = `Cannot reach ${targetName(asked)}: the link to the relay broke`;
      throw new DialError("unreachable", message, { cause: error });
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
}
