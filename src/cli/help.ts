import { columns } from "./columns.ts";
import type { Command } from "./command.ts";
import type { CliDeps } from "./deps.ts";
import type { Flag, Flags } from "./flag.ts";
import { globalFlags } from "./global_flags.ts";
import type { HelpInvocation } from "./grammar/help.ts";
import { didYouMean } from "../platform/nearest.ts";
import { UsageError } from "./usage_error.ts";

/** `hawser help [COMMAND]`. */
export function help({ words: [topic] }: HelpInvocation, deps: CliDeps): Promise<number> {
  if (topic === undefined) {
    deps.terminal.print(overview(deps.table, deps.terminal.width));
    return Promise.resolve(0);
  }
  const command = deps.table.find((each) => each.name === topic);
  if (!command) {
    const names = deps.table.filter((each) => !each.hidden).map((each) => each.name);
    throw new UsageError(`There is no command "${topic}" to explain.${didYouMean(topic, names)}`);
  }
  deps.terminal.print(commandHelp(command, deps.terminal.width));
  return Promise.resolve(0);
}

/** The page of `hawser` alone. */
export function overview(table: readonly Command[], width: number): string {
  const commands = table.filter((command) => !command.hidden).map((command) =>
    [command.name, command.summary] as const
  );
  return [
    ...wrap("hawser ties this machine to a Kubernetes cluster: its services answer here by their own names.", width),
    "",
    "Usage: hawser COMMAND [FLAG…]",
    "",
    "Commands:",
    ...definitions(commands, width),
    "",
    "Flags of every command:",
    ...flagLines(globalFlags, width),
    "",
    ...wrap("Each flag can be set for good: see hawser config --help. Start with: hawser connect", width),
  ].join("\n");
}

/** The page of one command. */
export function commandHelp(command: Command, width: number): string {
  const words = command.words.usage === "" ? "" : ` ${command.words.usage}`;
  const title = wrap(`hawser ${command.name}: ${command.summary}`, width);
  const lines = [...title, "", `Usage: hawser ${command.name} [FLAG…]${words}`];
  if (command.description !== "") {
    lines.push(
      "",
      ...command.description.split("\n").flatMap((line) => wrap(line, width)),
    );
  }
  if (Object.values(command.flags).some((flag) => !flag.hidden)) {
    lines.push("", "Flags:", ...flagLines(command.flags, width));
  }
  lines.push("", "Flags of every command:", ...flagLines(globalFlags, width));
  if (command.examples.length > 0) {
    lines.push("", "Examples:", ...command.examples.flatMap(({ line, what }) => [`  # ${what}`, `  ${line}`]));
  }
  return lines.join("\n");
}

function flagLines(flags: Flags, width: number): string[] {
  const visible = Object.entries(flags).filter(([, flag]) => !flag.hidden);
  const shorts = visible.some(([, flag]) => flag.short !== undefined);
  return definitions(visible.map(([name, flag]) => [spelling(name, flag, shorts), explanation(flag)]), width);
}

function spelling(name: string, flag: Flag, shorts: boolean): string {
  const short = flag.short === undefined ? (shorts ? "    " : "") : `-${flag.short}, `;
  return `${short}--${name}${flag.value === undefined ? "" : ` ${flag.value}`}`;
}

function explanation(flag: Flag): string {
  return flag.summary + (flag.standard === "" ? "" : ` (default ${flag.standard})`);
}

/** Terms with their explanations beside them, or below where the screen is narrow. */
function definitions(entries: readonly (readonly [string, string])[], width: number): string[] {
  const widest = Math.max(...entries.map(([term]) => term.length));
  const room = width - widest - 4;
  if (room < 30) {
    return entries.flatMap(([term, what]) => [
      `  ${term}`,
      ...wrap(what, width - 6).map((line) => `      ${line}`),
    ]);
  }
  return columns(
    entries.flatMap(([term, what]) => wrap(what, room).map((line, at) => [at === 0 ? term : "", line])),
    "  ",
  );
}

function wrap(text: string, width: number): string[] {
  if (text.length <= width) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
