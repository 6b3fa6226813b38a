import type { Grammar, Invocation } from "../command.ts";
import { texts } from "../flag.ts";
import { givenBy, type IdleFlags } from "../idle_flags.ts";
import { connectionFlags, idleConnectionFlags, idleWithSession } from "./connection_flags.ts";
import { agentFlags, divertingFlags, markFlags } from "./inbound_flags.ts";
import { isolationFlag } from "./isolation_flag.ts";
import { sessionFlag } from "./session_flag.ts";
import { wiringFlags } from "./wiring_flags.ts";
import { workloadFlags } from "./workload_flags.ts";

const diverts: IdleFlags = {
  flags: Object.keys(divertingFlags),
  reason: (given) =>
    givenBy(given, "exchange") || givenBy(given, "mesh")
      ? undefined
      : "is about services that come here: name one by --exchange or --mesh",
};
const hasAgent: IdleFlags = {
  flags: Object.keys(agentFlags),
  reason: (given) =>
    ["exchange", "mesh", "relay"].some((flag) => givenBy(given, flag))
      ? undefined
      : "is for a pod in the cluster, which only --exchange, --mesh and --relay make: add one of these",
};
const rewrites: IdleFlags = {
  flags: ["rewrite-env"],
  reason: (given) =>
    givenBy(given, "env-from") || givenBy(given, "env-file")
      ? undefined
      : "is about the values of --env-from and --env-file: add one of these",
};

/** How `hawser run` is spelled. */
export const runGrammar = {
  name: "run",
  summary: "run one program with the cluster within its reach",
  description:
    "Sets the variables by which programs find their proxy, starts the program with this terminal as its own, passes signals and its exit status on, and ends with it. Uses the session named by --session; without it, connects on its own. With --exchange and --mesh the program answers services of the cluster meanwhile, as the commands of these names have it: traffic comes before the program starts, and goes back to the original pods when it ends. A meshed program finds its mark in the variable HAWSER_MARK, as HEADER:VALUE. Ctrl-C is the program's; once more, while services are put back, leaves at once.",
  words: { usage: "-- PROGRAM [ARGUMENT…]", least: 1, most: Infinity, program: true },
  flags: {
    ...connectionFlags,
    ...sessionFlag,
    ...wiringFlags,
    ...workloadFlags,
    ...isolationFlag,
    exchange: texts(
      "SERVICE:LOCAL[:PORT]",
      "answer all requests of a service by a port of the program; again for more",
      {
        setting: false,
      },
    ),
    mesh: texts("SERVICE:LOCAL[:PORT]", "answer only its marked requests; again for more, all with one mark", {
      setting: false,
    }),
    ...markFlags,
    ...divertingFlags,
    ...agentFlags,
  },
  idle: [idleWithSession, ...idleConnectionFlags, diverts, hasAgent, rewrites],
  examples: [
    { line: "hawser run -- curl http://orders:8080/", what: "one request" },
    { line: "hawser run -n dev -- npm start", what: "a program that sees namespace dev" },
    { line: "hawser run --exchange orders:8080 -- npm start", what: "that answers for orders while it runs" },
    {
      line: "hawser run --mesh orders:8080:http --mesh stock:8081 -- ./gradlew bootRun",
      what: "marked requests of two services",
    },
    { line: "hawser run --isolate net -- ./server", what: "any program at all, on Linux" },
    {
      line: "hawser run --env-from deploy/orders --mesh orders:8080 -- mvn spring-boot:run",
      what: "with the variables that its container has",
    },
    { line: "hawser run --session dev -- bash", what: "a shell wired to a running session" },
  ],
} satisfies Grammar;

/** `hawser run`, read. */
export type RunInvocation = Invocation<typeof runGrammar.flags>;
