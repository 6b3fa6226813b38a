import { readFile } from "node:fs/promises";
import process from "node:process";
import { systemClock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { parseConfig } from "./parse_message.ts";
import { startAgent } from "./start_agent.ts";

/** Lines on stdout, which is what `kubectl logs` shows. */
const log: Log = {
  event: say,
  error: say,
  warn: say,
  info: say,
  debug() {},
};

function say(message: string): void {
  process.stdout.write(`${new Date().toISOString()} ${message}\n`);
}

function fail(what: string, error: unknown): never {
  say(`${what}: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}

// One connection's fault is not to cost all the others.
process.on("uncaughtException", (error) => say(`Fault: ${error.stack}`));
process.on("unhandledRejection", (error) => say(`Fault: ${error instanceof Error ? error.stack : error}`));

try {
  const config = parseConfig(JSON.parse(process.env["HAWSER_AGENT"] ?? ""));
  const token = (await readFile(config.tokenFile, "utf8")).trim();
  if (token === "") throw new Error(`"${config.tokenFile}" is empty`);
  const agent = await startAgent(config, token, { clock: systemClock, log });
  const stop = () => agent.stop().then(() => process.exit(0), (error) => fail("Cannot stop in good order", error));
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
} catch (error) {
  fail("The agent cannot start", error);
}
