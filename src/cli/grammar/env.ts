import { type Grammar, type Invocation, noWords } from "../command.ts";
import { shellForms } from "../../wiring/shell_lines.ts";
import { choice, toggle } from "../flag.ts";
import { givenBy } from "../idle_flags.ts";
import { idleForSessions } from "./connection_flags.ts";
import { sessionFlag } from "./session_flag.ts";
import { wiringFlags } from "./wiring_flags.ts";
import { variableFlags } from "./workload_flags.ts";

/** The forms in which variables can be printed. */
export const envForms = [...shellForms, "jvm"] as const;

/** One of {@linkcode envForms}. */
export type EnvForm = (typeof envForms)[number];

/** How `hawser env` is spelled. */
export const envGrammar = {
  name: "env",
  summary: "print the variables that wire a shell or a program to a running connect",
  description:
    'Prints lines for your shell to evaluate. The form is that of the shell it is called from unless --shell names one; dotenv is for files that IDEs and containers read, vscode for a launch configuration in launch.json, intellij for the field "Environment variables" of a run configuration, jvm for the VM options of a Java program, where nothing but these can be set. -o json is the same as --shell json. For cmd, write the lines to a file and call it. --hosts prints lines for the hosts file instead, for who may edit it and has connect --listen running; nothing needs them.',
  words: noWords,
  flags: {
    ...sessionFlag,
    ...wiringFlags,
    ...variableFlags,
    shell: choice(envForms, undefined, "form of the output; guessed by default", { short: "s" }),
    hosts: toggle("print lines for the hosts file: the local addresses of a session with --listen", { setting: false }),
    unset: toggle("print the lines that undo it", { setting: false }),
  },
  idle: [
    {
      flags: idleForSessions.flags,
      reason: (given, words) => givenBy(given, "env-from") ? undefined : idleForSessions.reason(given, words),
    },
    {
      flags: ["context", "namespace"],
      reason: idleForSessions.reason,
    },
    {
      flags: Object.keys(variableFlags),
      reason(given) {
        const other = ["hosts", "unset"].find((flag) => givenBy(given, flag)) ??
          (given.get("shell")?.texts.at(-1) === "jvm" ? "shell jvm" : undefined);
        return other && `is about variables, which --${other} does not print: leave one out`;
      },
    },
    {
      flags: ["shell"],
      reason: (given) =>
        givenBy(given, "hosts") && "is a form of variables, and --hosts prints lines for the hosts file: leave one out",
    },
  ],
  examples: [
    { line: 'eval "$(hawser env)"', what: "bash and zsh" },
    { line: "hawser env | source", what: "fish" },
    { line: "hawser env | Out-String | Invoke-Expression", what: "PowerShell" },
    { line: 'hawser env > "%TEMP%\\hawser.cmd" && call "%TEMP%\\hawser.cmd"', what: "cmd" },
    { line: "java $(hawser env --shell jvm) -jar app.jar", what: "a Java program" },
    { line: "hawser env --shell vscode", what: '"env" for a launch configuration' },
    {
      line: "hawser env --env-from deploy/orders --shell dotenv",
      what: "with the variables that a container has, for a run configuration",
    },
    { line: "hawser env --hosts", what: "names for the hosts file" },
    { line: 'eval "$(hawser env --unset)"', what: "back to what was" },
  ],
} satisfies Grammar;

/** `hawser env`, read. */
export type EnvInvocation = Invocation<typeof envGrammar.flags>;
