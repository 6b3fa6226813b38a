import type { Grammar, Invocation } from "../command.ts";

/** What `hawser config` can do. */
export const configActions = ["show", "keys", "get", "set", "unset", "profiles", "use", "drop", "path"] as const;

/** How `hawser config` is spelled. */
export const configGrammar = {
  name: "config",
  summary: "defaults and profiles, kept in a file of yours",
  description: [
    "show              what holds now, and where each value comes from",
    "keys              every key there is, with its variable",
    "get KEY           one value of the file",
    "set KEY VALUE…    write one; with --profile NAME, into that profile",
    "unset KEY…        remove them",
    "profiles          the profiles of the file",
    "use [NAME]        the profile that holds without --profile; none without NAME",
    "drop NAME         remove a profile",
    "path              where the file is",
    "",
    "Keys are the names of flags. A flag wins over its HAWSER_* variable, that over the profile, and that over the defaults of the file.",
  ].join("\n"),
  words: { usage: configActions.join("|"), least: 1, most: Infinity, choices: configActions, complete: "config" },
  flags: {},
  examples: [
    { line: "hawser config set namespace dev", what: "a default of yours" },
    { line: "hawser config set context stage --profile staging", what: "into a profile" },
    { line: "hawser connect --profile staging", what: "use it once" },
    { line: "hawser config use staging", what: "use it from now on" },
  ],
} satisfies Grammar;

/** `hawser config`, read. */
export type ConfigInvocation = Invocation<typeof configGrammar.flags>;
