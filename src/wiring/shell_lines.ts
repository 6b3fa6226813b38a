/** The ways in which variables can be written down. */
export const shellForms = ["bash", "zsh", "fish", "powershell", "cmd", "dotenv", "json", "vscode", "intellij"] as const;

/** One of {@linkcode shellForms}. */
export type ShellForm = (typeof shellForms)[number];

/**
 * Lines that set variables, or unset those whose value is undefined, for a shell to evaluate or a program to read: `vscode` is part of a launch
 * configuration, `intellij` what a field of one takes. Any value comes out as it
 * went in, but for NUL, which no variable holds, and line ends in `cmd`, which cannot hold them: both are dropped.
 */
export function shellLines(form: ShellForm, variables: ReadonlyMap<string, string | undefined>): string {
  const entries = [...variables].map(([name, value]) => [name, value?.replaceAll("\0", "")] as const);
  if (form === "json" || form === "vscode") {
    const object = Object.fromEntries(entries.map(([name, value]) => [name, value ?? null]));
    return JSON.stringify(form === "json" ? object : { env: object }, null, 2);
  }
  if (form === "intellij") {
    return entries.flatMap(([name, value]) => value === undefined ? [] : [`${name}=${intellijQuoted(value)}`]).join(
      ";",
    );
  }
  return entries.flatMap(([name, value]) => line(form, name, value)).join("\n");
}

function line(
  form: Exclude<ShellForm, "json" | "vscode" | "intellij">,
  name: string,
  value: string | undefined,
): string[] {
  switch (form) {
    case "bash":
    case "zsh":
      return [value === undefined ? `unset ${name}` : `export ${name}='${value.replaceAll("'", `'\\''`)}'`];
    case "fish":
      return [value === undefined ? `set -e ${name}` : `set -gx ${name} '${value.replace(/[\\']/g, "\\$&")}'`];
    case "powershell":
      // PowerShell takes typographic single quotes for plain ones
      return [
        value === undefined
          ? `Remove-Item Env:${name} -ErrorAction SilentlyContinue`
          : `$env:${name} = '${value.replace(/['\u2018-\u201b]/g, "$&$&")}'`,
      ];
    case "cmd":
      return [`@set ${name}=${value === undefined ? "" : cmdQuoted(value)}`];
    case "dotenv":
      return value === undefined ? [] : [`${name}=${dotenvQuoted(value)}`];
  }
}

/** For a batch file, whose lines cmd shows unless they begin with @: each character that cmd would act on is escaped by itself, quotes included, so that none changes the meaning of the next. */
function cmdQuoted(value: string): string {
  return value.replace(/[\r\n]/g, "").replace(/[\^&|<>()"]/g, "^$&").replaceAll("%", "%%");
}

/** Bare where every reader agrees, in single quotes where these are literal, else in double quotes with backslash escapes. */
function dotenvQuoted(value: string): string {
  if (/^[A-Za-z0-9_.,:/@+=-]*$/.test(value)) return value;
  if (!/['\r\n]/.test(value)) return `'${value}'`;
  return `"${value.replace(/[\\"$`]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;
}

/**
 * For the field "Environment variables" of a run configuration: bare where every version of the IDE agrees, else in double quotes, which those of 2025 and
 * later read.
 */
function intellijQuoted(value: string): string {
  return /^"|[;\r\n]|\\$/.test(value) ? `"${value.replace(/[\\"]/g, "\\$&")}"` : value;
}
