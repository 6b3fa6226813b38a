import type { Command } from "./command.ts";
import { defineCommand } from "./define_command.ts";
import { browserGrammar } from "./grammar/browser.ts";
import { cleanGrammar } from "./grammar/clean.ts";
import { completeGrammar } from "./grammar/complete.ts";
import { completionGrammar } from "./grammar/completion.ts";
import { configGrammar } from "./grammar/config.ts";
import { connectGrammar } from "./grammar/connect.ts";
import { disconnectGrammar } from "./grammar/disconnect.ts";
import { doctorGrammar } from "./grammar/doctor.ts";
import { envGrammar } from "./grammar/env.ts";
import { exchangeGrammar } from "./grammar/exchange.ts";
import { forwardGrammar } from "./grammar/forward.ts";
import { helpGrammar } from "./grammar/help.ts";
import { isolatedGrammar } from "./grammar/isolated.ts";
import { meshGrammar } from "./grammar/mesh.ts";
import { previewGrammar } from "./grammar/preview.ts";
import { recoverGrammar } from "./grammar/recover.ts";
import { runGrammar } from "./grammar/run.ts";
import { statusGrammar } from "./grammar/status.ts";
import { versionGrammar } from "./grammar/version.ts";

/** Every command, in the order of the help page. Parsing, help, settings and completion all follow it. */
export const commandTable: readonly Command[] = [
  defineCommand(connectGrammar, async () => (await import("./connect.ts")).connect),
  defineCommand(runGrammar, async () => (await import("./run.ts")).run),
  defineCommand(envGrammar, async () => (await import("./env.ts")).env),
  defineCommand(browserGrammar, async () => (await import("./browser.ts")).browser),
  defineCommand(forwardGrammar, async () => (await import("./forward.ts")).forward),
  defineCommand(exchangeGrammar, async () => (await import("./exchange.ts")).exchange),
  defineCommand(meshGrammar, async () => (await import("./mesh.ts")).mesh),
  defineCommand(previewGrammar, async () => (await import("./preview.ts")).preview),
  defineCommand(recoverGrammar, async () => (await import("./recover.ts")).recover),
  defineCommand(cleanGrammar, async () => (await import("./clean.ts")).clean),
  defineCommand(statusGrammar, async () => (await import("./status.ts")).status),
  defineCommand(disconnectGrammar, async () => (await import("./disconnect.ts")).disconnect),
  defineCommand(doctorGrammar, async () => (await import("./doctor.ts")).doctor),
  defineCommand(configGrammar, async () => (await import("./config.ts")).config),
  defineCommand(completionGrammar, async () => (await import("./completion.ts")).completion),
  defineCommand(helpGrammar, async () => (await import("./help.ts")).help),
  defineCommand(versionGrammar, async () => (await import("./version.ts")).version),
  defineCommand(isolatedGrammar, async () => (await import("./isolated.ts")).isolated),
  defineCommand(completeGrammar, async () => (await import("./complete.ts")).complete),
];
