import type { Layer } from "./layer.ts";

/** A program that asks the servers for 6 times 7, in one or several ways. */
export interface Program {
  /** The table it is in. */
  readonly family: string;
  /** The column it is in. */
  readonly runtime: string;
  /** The rows it is in: libraries, or itself. */
  readonly clients: readonly string[];
  /** How it is started to have these clients ask. */
  readonly words: (clients: readonly string[]) => readonly string[];
  /**
   * `lines`: it writes a line for each client as `read_lines.ts` reads it; `output`: it is a client by itself, and the answer is what it writes on
   * stdout; a function: it is one, and the answer is found by this once it has ended.
   */
  readonly answers: "lines" | "output" | (() => Promise<string>);
  /** The ways to try, the one that asks least of the program first. */
  readonly layers: readonly Layer[];
  /** Whether `hawser run` connects by itself instead of using the session that runs. */
  readonly alone?: boolean;
  /** Seconds for all its clients. Default 60. */
  readonly seconds?: number;
}

/** What a client said. */
export interface Outcome {
  /** Whether it is 42. */
  readonly right: boolean;
  /** From start to answer. */
  readonly milliseconds: number;
  /** The answer, or why there is none. */
  readonly said: string;
}
