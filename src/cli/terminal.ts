import { type Clock, systemClock } from "../platform/clock.ts";

/** Where one stream of text goes. */
export interface TextSink {
  write(data: Uint8Array): Promise<number>;
  isTerminal(): boolean;
}

/** What a {@linkcode Terminal} needs to know. */
export interface TerminalOptions {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  /** Columns of the screen; undefined where there is none. */
  columns(): number | undefined;
  /** Whether `NO_COLOR` asks for plain text. */
  readonly noColor: boolean;
  /** Where there is no screen, what takes long is told by it. Default: the machine's. */
  readonly clock?: Pick<Clock, "after">;
}

/** How a piece of text stands out, on terminals that can show it. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow";

/** Milliseconds after which something that is going on is news to whoever has no screen to see it on. */
const longWait = 3_000;

const codes: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

/**
 * The text that people and scripts see: results on stdout, all else on stderr. Writing never waits for a slow reader and never fails:
 * what a closed pipe does not take is dropped, as is what a stalled one would pile up beyond 4 MiB, so that a pager can stop
 * the output and not the connections.
 */
export class Terminal {
  #out: Writer;
  #err: Writer;
  readonly #options: TerminalOptions;
  #progress = "";
  #stopWaiting = () => {};

  constructor(options: TerminalOptions) {
    this.#options = options;
    this.#out = new Writer(options.stdout);
    // On one screen, what goes to both streams must show in the order in which it was written.
    this.#err = new Writer(
      options.stderr,
      options.stdout.isTerminal() && options.stderr.isTerminal() ? this.#out : undefined,
    );
  }

  /** One or more lines of result, to stdout. */
  print(text: string): void {
    this.progress("");
    this.#out.write(`${text}\n`);
  }

  /** A result for programs, to stdout: indented JSON. */
  printJson(value: unknown): void {
    this.print(JSON.stringify(value, null, 2));
  }

  /** A line for people, to stderr. */
  tell(text: string): void {
    if (!this.#err.isTerminal) return this.#err.write(`${text}\n`);
    const progress = this.#progress;
    this.progress("");
    this.#err.write(`${text}\n`);
    this.progress(progress);
  }

  /** What is going on right now; replaces what was shown before, goes away with an empty text. Where there is no screen it is a line once it takes long. */
  progress(text: string): void {
    if (text === this.#progress) return;
    this.#progress = text;
    if (!this.#err.isTerminal) {
      this.#stopWaiting();
      if (text !== "") {
        this.#stopWaiting = (this.#options.clock ?? systemClock).after(longWait, () => this.#err.write(`${text}\n`));
      }
      return;
    }
    this.#err.write(text === "" ? "\r\x1b[K" : `\r\x1b[K${text.slice(0, this.width - 1)}`);
  }

  /** How many or how far, as {@linkcode progress}, but nothing that anybody waits for: shown on a screen only. */
  counter(text: string): void {
    if (this.#err.isTerminal) this.progress(text);
  }

  /** `text` in a style where stdout is a terminal with colours. */
  style(style: Style, text: string): string {
    return this.#out.isTerminal && !this.#options.noColor ? `\x1b[${codes[style]}m${text}\x1b[0m` : text;
  }

  /** Columns to fill: the screen's, at most 120; 100 where there is no screen. */
  get width(): number {
    return Math.min(Math.max(this.#options.columns() ?? 100, 40), 120);
  }

  /** Sends both streams elsewhere from now on: to a log file, once a session goes on in the background. */
  async redirect(sink: TextSink): Promise<void> {
    await this.flush();
    this.#out = this.#err = new Writer(sink);
  }

  /** Resolves once all that can be written is written. */
  async flush(): Promise<void> {
    this.progress("");
    await Promise.all([this.#out.idle(), this.#err.idle()]);
  }
}

const maxQueued = 4 * 1024 * 1024;

/** Writes in order and in the background. */
class Writer {
  readonly isTerminal: boolean;
  readonly #sink: TextSink;
  readonly #encoder = new TextEncoder();
  readonly #line: { tail: Promise<void> };
  #queued = 0;
  #broken = false;

  /** @param behind a writer whose turns are taken in common. */
  constructor(sink: TextSink, behind?: Writer) {
    this.#sink = sink;
    this.isTerminal = sink.isTerminal();
    this.#line = behind ? behind.#line : { tail: Promise.resolve() };
  }

  write(text: string): void {
    const data = this.#encoder.encode(text);
    if (this.#broken || this.#queued + data.length > maxQueued) return;
    this.#queued += data.length;
    this.#line.tail = this.#line.tail.then(() => this.#writeAll(data));
  }

  idle(): Promise<void> {
    return this.#line.tail;
  }

  async #writeAll(data: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < data.length && !this.#broken;) at += await this.#sink.write(data.subarray(at));
    } catch {
      this.#broken = true; // the reader is gone (`| head`, a closed terminal): there is nobody left to tell
    } finally {
      this.#queued -= data.length;
    }
  }
}

/** The terminal of this process. */
export function systemTerminal(): Terminal {
  return new Terminal({
    stdout: Deno.stdout,
    stderr: Deno.stderr,
    columns() {
      try {
        return Deno.consoleSize().columns;
      } catch {
        return undefined; // no console
      }
    },
    noColor: Deno.noColor,
  });
}
