import type { Clock } from "../platform/clock.ts";
import type { InterruptWatch } from "../platform/interrupt.ts";
import type { Log } from "../platform/log.ts";
import type { Paths } from "../platform/paths.ts";
import type { Environment } from "../platform/proxy_settings.ts";
import type { Command } from "./command.ts";
import type { Settings } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

/** What commands use of the world. */
export interface CliDeps {
  /** The command line as it was given. */
  readonly args: readonly string[];
  readonly terminal: Terminal;
  readonly log: Log;
  readonly clock: Clock;
  readonly os: typeof Deno.build.os;
  /** The environment the user set up: without what `hawser env` or `hawser run` has put in. */
  readonly env: Environment;
  /** Throws a `Failure` where the platform does not say where the user's home is. */
  paths(): Paths;
  readonly settings: Settings;
  /** Every command there is, for help and completion. */
  readonly table: readonly Command[];
  /** Takes Ctrl-C and its like over, until closed. */
  watchInterrupts(): InterruptWatch;
}
