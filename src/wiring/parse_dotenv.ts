import { isVariableName, variableNameForm } from "./variable_name.ts";

/** A line that is no variable. The message never shows what stands there: it may be a secret. */
export class DotenvError extends Error {
  override readonly name = "DotenvError";
  /** From 1. */
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** Blanks and a comment, or nothing. */
const restOfLine = /[ \t]*(?:#[^\n]*)?(?:\n|$)/y;

/**
 * Reads variables as `.env` files have them, one `NAME=value` on each line, with or without `export` before it. A bare value goes to the end of the line, or to a
 * `#` after a space. In 'single quotes' everything is literal; in "double quotes" `\n`, `\r` and `\t` are what they are elsewhere, and `\` takes the meaning from
 * `\`, `"`, `$` and a backtick; `$NAME` is not followed. Quoted values may go over several lines. Empty lines and those that begin with `#` do not
 * count, nor do a byte order mark and carriage returns at line ends. The last of several values counts. Throws a {@linkcode DotenvError}.
 */
export function parseDotenv(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  const rest = text.replace(/^\ufeff/, "").replaceAll("\r\n", "\n");
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(rest);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const line = (place: number) => rest.slice(0, place).split("\n").length;
  while (at < rest.length) {
    if (take(restOfLine)) continue;
    const start = at;
    const [, name] = take(/[ \t]*(?:export[ \t]+)?([^=#'"\n]*[^\s=#'"])[ \t]*=[ \t]*/y) ?? [];
    if (name === undefined) throw new DotenvError(line(start), "a line has the form NAME=value");
    if (!isVariableName(name)) throw new DotenvError(line(start), `the name of a variable is of ${variableNameForm}`);
    const [single, literal = ""] = take(/'([^']*)'/y) ?? [];
    const [double, escaped = ""] = single === undefined ? take(/"((?:[^"\\]|\\[^])*)"/y) ?? [] : [];
    if (single !== undefined) variables.set(name, literal);
    else if (double !== undefined) {
      variables.set(name, escaped.replace(/\\([nrt\\"$`])/g, (_, each: string) => escapes[each] ?? each));
    } else if (/['"]/.test(rest[at] ?? "")) throw new DotenvError(line(start), `the quotes of ${name} do not end`);
    else variables.set(name, (take(/(?:(?!\s#|(?<=\s)#)[^\n])*/y)?.[0] ?? "").trimEnd());
    if (variables.get(name)?.includes("\0")) {
      throw new DotenvError(line(start), `${name} holds what no variable can: NUL`);
    }
    if (!take(restOfLine)) throw new DotenvError(line(at), `something follows the quotes of ${name}`);
  }
  return variables;
}
