import { silentLog } from "../../src/platform/log.ts";
import { SpdySession } from "../../src/tunnel/spdy_session.ts";
import { plainWire } from "../../src/tunnel/wire.ts";
import { FakeClock } from "../fake_clock.ts";
import { duplexPair } from "../stream/duplex_pair.ts";
import { SpdyServer } from "./spdy_server.ts";

/** A port-forward session with both its ends, in memory and in a time of its own. */
export interface SessionPair {
  readonly clock: FakeClock;
  readonly server: SpdyServer;
  readonly session: SpdySession;
  /** Why the session ended: empty while it stands. */
  readonly ended: readonly Error[];
  /** Ends the session; throws where it leaves a timer behind. */
  close(): Promise<void>;
}

/** `capacity` is how many bytes each direction of the connection holds. */
export function sessionPair(capacity?: number): SessionPair {
  const [client, far] = duplexPair(capacity);
  const clock = new FakeClock();
  const server = new SpdyServer(far);
  const ended: Error[] = [];
  const session = new SpdySession(plainWire(client, (into) => client.read(into)), {
    onChange() {},
    onEnd: (_session, error) => void ended.push(error),
  }, { clock, log: silentLog });
  return {
    clock,
    server,
    session,
    ended,
    async close() {
      session.close();
      await server.ended;
      if (clock.pending > 0) throw new Error(`${clock.pending} timers are left over`);
    },
  };
}
