import { equalSecret } from "../platform/equal_secret.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { bufferedDuplex } from "../stream/buffered_duplex.ts";
import { BufferedReader } from "../stream/buffered_reader.ts";
import type { Duplex } from "../stream/duplex.ts";
import { formatJsonLine, readJsonLine } from "./json_line.ts";
import { Link } from "./link.ts";
import type { Owners } from "./owners.ts";
import { parseHello } from "./parse_message.ts";
import { type Hello, lineLimit, protocolVersions, type Welcome } from "./protocol.ts";
import { serveDial } from "./serve_dial.ts";

/** Milliseconds that a laptop has to say who it is, and how many may be about to. */
const patience = 10_000;
const strangerLimit = 64;

/** What links are shaken hands with. */
export interface LinkServerOptions {
  readonly token: string;
  /** For people: `dev/orders`. */
  readonly service: string;
  readonly owners: Owners;
}

/** Lets laptops in that know the token. */
export class LinkServer {
  readonly #options: LinkServerOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #strangers = new Set<Duplex>();

  constructor(options: LinkServerOptions, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#options = options;
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  /** Takes a connection to the link port; never rejects. */
  async accept(stream: Duplex): Promise<void> {
    if (this.#strangers.size >= strangerLimit) return stream.reset();
    this.#strangers.add(stream);
    const cancel = this.#clock.after(patience, () => stream.reset());
    try {
      const reader = new BufferedReader(stream, lineLimit + 1);
      const hello = parseHello(await readJsonLine(reader));
      const welcome = this.#welcome(hello);
      await stream.write(formatJsonLine(welcome));
      if ("error" in welcome) {
        this.#log.warn(`A link was refused: ${welcome.error}`);
        await stream.closeWrite();
        stream.close();
      } else {
        this.#open(bufferedDuplex(stream, reader), hello);
      }
    } catch (error) {
      this.#log.warn(`A link was broken off: ${error instanceof Error ? error.message : error}`);
      stream.reset();
    } finally {
      cancel();
      this.#strangers.delete(stream);
    }
  }

  /** Ends those that have not said yet who they are. */
  close(): void {
    for (const stream of this.#strangers) stream.reset();
  }

  #open(stream: Duplex, { owner }: Hello): void {
    const { owners } = this.#options;
    const link: Link = new Link(stream, owner, {
      control: (request) => {
        if (request.type === "rules") link.observe(request.observe ?? false);
        return owners.control(owner, request);
      },
      dial: (stream) => void serveDial(stream, { clock: this.#clock }),
      ended: (error) => owners.leave(link, error),
    }, { clock: this.#clock, log: this.#log });
    owners.join(link);
  }

  #welcome({ hawser, token }: Hello): Welcome {
    const { service } = this.#options;
    if (!equalSecret(this.#options.token, token)) {
      return { error: `The token is not that of the agent of "${service}"`, reason: "token" };
    }
    const { lowest, highest } = protocolVersions;
    const version = Math.min(hawser.highest, highest);
    if (version >= Math.max(hawser.lowest, lowest)) return { hawser: version, agent: service };
    const agent = `the agent of "${service}"`;
    const [older, newer] = hawser.highest < lowest ? ["this hawser", agent] : [agent, "this hawser"];
    return { error: `${older} is too old for ${newer}: they know no version of their protocol in common` };
  }
}
