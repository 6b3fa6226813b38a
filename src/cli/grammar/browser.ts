import type { Grammar, Invocation } from "../command.ts";
import { text } from "../flag.ts";
import { connectionFlags, idleConnectionFlags, idleWithSession } from "./connection_flags.ts";
import { idleWithoutRelay } from "./relay_flags.ts";
import { sessionFlag } from "./session_flag.ts";

/** How `hawser browser` is spelled. */
export const browserGrammar = {
  name: "browser",
  summary: "open a browser that reaches the cluster's services by their names",
  description:
    "Starts a browser with an empty profile of its own, whose proxy settings lead names of the cluster through hawser and everything else as ever; your own profile, windows and settings are left alone. The profile is removed when the browser ends, and Ctrl-C ends both. Uses the session named by --session; without it, connects on its own. What follows -- goes to the browser. With --auth the browser asks for name and password, as its settings cannot carry them.",
  words: { usage: "[ADDRESS…] [-- ARGUMENT…]", least: 0, most: Infinity, complete: "service" },
  flags: {
    ...connectionFlags,
    ...sessionFlag,
    browser: text(
      "BROWSER",
      undefined,
      "chrome, edge, chromium, firefox, or the program of another that takes the same arguments; the first of these that is here by default",
    ),
  },
  idle: [idleWithSession, ...idleConnectionFlags, idleWithoutRelay],
  examples: [
    { line: "hawser browser orders", what: "http://orders/ of the current namespace" },
    { line: "hawser browser orders:8080/health stock.shared", what: "two tabs" },
    { line: "hawser browser --browser firefox --session dev", what: "Firefox with a running session" },
    {
      line: "hawser browser orders -- --headless --dump-dom",
      what: "arguments of the browser's own: the page's HTML, without a window",
    },
  ],
} satisfies Grammar;

/** `hawser browser`, read. */
export type BrowserInvocation = Invocation<typeof browserGrammar.flags>;
