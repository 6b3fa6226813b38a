import type { Grammar, Invocation } from "../command.ts";

/** The shells that can be taught. */
export const completionShells = ["bash", "zsh", "fish", "powershell"] as const;

/** How `hawser completion` is spelled. */
export const completionGrammar = {
  name: "completion",
  summary: "print the script that teaches a shell to complete hawser",
  description:
    "Completes commands, flags and their values; contexts, namespaces, services and sessions are looked up when Tab is pressed.",
  words: { usage: completionShells.join("|"), least: 1, most: 1, choices: completionShells },
  flags: {},
  needsNoSettings: true,
  examples: [
    { line: "hawser completion bash > ~/.local/share/bash-completion/completions/hawser", what: "bash" },
    { line: 'hawser completion zsh > "${fpath[1]}/_hawser"', what: "zsh" },
    { line: "hawser completion fish > ~/.config/fish/completions/hawser.fish", what: "fish" },
    { line: "hawser completion powershell | Out-String | Invoke-Expression", what: "PowerShell, in $PROFILE" },
  ],
} satisfies Grammar;

/** `hawser completion`, read. */
export type CompletionInvocation = Invocation<typeof completionGrammar.flags>;
