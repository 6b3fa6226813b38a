import { silentLog } from "../../src/platform/log.ts";
import { type Clock, systemClock } from "../../src/platform/clock.ts";
import type { InterruptWatch } from "../../src/platform/interrupt.ts";
import type { Environment } from "../../src/platform/proxy_settings.ts";
import { commandTable } from "../../src/cli/command_table.ts";
import type { CliDeps } from "../../src/cli/deps.ts";
import { main } from "../../src/cli/main.ts";
import { Settings } from "../../src/cli/settings.ts";
import { Terminal } from "../../src/cli/terminal.ts";
import type { Command } from "../../src/cli/command.ts";

/** A watch that nothing comes to. */
function noInterrupts(): InterruptWatch {
  const { signal } = new AbortController();
  return { signal, ending: signal, pause() {}, resume() {}, close() {} };
}

/** What was written to a fake terminal. */
export interface Written {
  out: string;
  err: string;
}

/** A terminal that remembers; no screen unless `columns` says so. */
export function fakeTerminal(
  options: { columns?: number; clock?: Clock } = {},
): { terminal: Terminal; written: Written } {
  const written: Written = { out: "", err: "" };
  const sink = (stream: keyof Written) => ({
    write(data: Uint8Array) {
      written[stream] += new TextDecoder().decode(data);
      return Promise.resolve(data.length);
    },
    isTerminal: () => options.columns !== undefined,
  });
  const terminal = new Terminal({
    stdout: sink("out"),
    stderr: sink("err"),
    columns: () => options.columns,
    noColor: true,
    clock: options.clock,
  });
  return { terminal, written };
}

/** Dependencies for one command, with folders below `root`. */
export function fakeDeps(root: string, changes: Partial<CliDeps> = {}): { deps: CliDeps; written: Written } {
  const { terminal, written } = fakeTerminal();
  const deps: CliDeps = {
    args: [],
    terminal,
    log: silentLog,
    clock: systemClock,
    os: "linux",
    env: {},
    paths: () => ({ config: `${root}/config`, state: `${root}/state`, cache: `${root}/cache` }),
    settings: Settings.none(`${root}/config/config.json`),
    table: commandTable,
    watchInterrupts: noInterrupts,
    ...changes,
  };
  return { deps, written };
}

/** Runs a whole command line; the user's home is `root`. */
export async function runMain(
  args: readonly string[],
  options: { root: string; env?: Environment; table?: readonly Command[]; columns?: number },
): Promise<Written & { status: number }> {
  const { terminal, written } = fakeTerminal(options.columns === undefined ? {} : { columns: options.columns });
  const status = await main(args, {
    terminal,
    os: "linux",
    env: { HOME: options.root, ...options.env },
    table: options.table ?? commandTable,
    watchInterrupts: noInterrupts,
  });
  return { ...written, status };
}

/** What the global flags mean where none is given. */
export const noGlobals = {
  help: false,
  kubeconfig: undefined,
  context: undefined,
  namespace: undefined,
  as: undefined,
  asGroup: [],
  output: "text",
  logLevel: "warn",
  profile: undefined,
} as const;
