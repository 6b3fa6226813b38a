import type { Clock } from "../platform/clock.ts";
import { type Log, type LogLevel, logLevels } from "../platform/log.ts";
import type { Terminal } from "./terminal.ts";

/** Shows what happens as lines on stderr, each with the time of day. */
export class TerminalLog implements Log {
  readonly #terminal: Pick<Terminal, "tell">;
  readonly #level: LogLevel;
  readonly #clock: Pick<Clock, "wall">;

  constructor(terminal: Pick<Terminal, "tell">, level: LogLevel, clock: Pick<Clock, "wall">) {
    this.#terminal = terminal;
    this.#level = level;
    this.#clock = clock;
  }

  event(message: string): void {
    this.#line("", message);
  }

  error(message: string): void {
    this.#leveled("error", message);
  }

  warn(message: string): void {
    this.#leveled("warn", message);
  }

  info(message: string): void {
    this.#leveled("info", message);
  }

  debug(message: string): void {
    this.#leveled("debug", message);
  }

  #leveled(level: LogLevel, message: string): void {
    if (logLevels.indexOf(level) <= logLevels.indexOf(this.#level)) this.#line(`${level}: `, message);
  }

  #line(prefix: string, message: string): void {
    const time = new Date(this.#clock.wall());
    const stamp = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, "0"))
      .join(":");
    this.#terminal.tell(`${stamp} ${prefix}${message}`);
  }
}
