import type { CliDeps } from "./deps.ts";
import type { CompletionInvocation, completionShells } from "./grammar/completion.ts";

/** `hawser completion SHELL`. Prints the script in any output form. */
export function completion({ words: [shell] }: CompletionInvocation, { terminal }: CliDeps): Promise<number> {
  terminal.print(completionScripts[shell as (typeof completionShells)[number]]);
  return Promise.resolve(0);
}

/**
 * The scripts ask `hawser __complete` for candidates, one a line as `WORD<Tab>EXPLANATION`, already filtered by the word under the cursor;
 * the line `:files` asks the shell for file names instead.
 */
export const completionScripts: Readonly<Record<(typeof completionShells)[number], string>> = {
  // bash splits words at = : and @ (COMP_WORDBREAKS) and replaces only the last piece: so the pieces are joined again to ask,
  // and what stands before the last piece is cut off the answers. No feature newer than bash 3.2, which macOS has.
  bash: `# hawser completion for bash
_hawser() {
  local words=() count=0 i piece
  for ((i = 1; i <= COMP_CWORD; i++)); do
    piece=\${COMP_WORDS[i]}
    if ((count > 0)) && [[ $piece == [=:@]* || \${words[count - 1]} == *[=:@] ]]; then
      words[count - 1]+=$piece
    else
      words[count]=$piece
      count=$((count + 1))
    fi
  done
  local current=\${words[count - 1]} before line
  before=\${current%"\${current##*[=:@]}"}
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "\${current#"$before"}")
      return
    fi
    line=\${line%%$'\\t'*}
    COMPREPLY+=("\${line#"$before"}")
    [[ $line == */ ]] && compopt -o nospace 2>/dev/null
  done < <("$1" __complete -- "\${words[@]}" 2>/dev/null)
}
complete -F _hawser hawser`,

  zsh: `#compdef hawser
# hawser completion for zsh
_hawser() {
  local -a candidates begun
  local line word
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      _files
      return
    fi
    word=\${line%%$'\\t'*}
    if [[ $word == */ ]]; then
      begun+=("$word")
    elif [[ $line == *$'\\t'* ]]; then
      candidates+=("\${word//:/\\\\:}:\${line#*$'\\t'}")
    else
      candidates+=("\${word//:/\\\\:}")
    fi
  done < <("\${(Q)words[1]}" __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( $#begun )) && _describe hawser begun -S ''
  (( $#candidates )) && _describe hawser candidates
}
if [[ $funcstack[1] == _hawser ]]; then
  _hawser "$@" # autoloaded from fpath
else
  compdef _hawser hawser
fi`,

  fish: `# hawser completion for fish
function __hawser_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l candidates ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
    if test "$candidates" = :files
        __fish_complete_path "$current"
    else
        printf '%s\\n' $candidates
    end
end
complete -c hawser -f -a '(__hawser_complete)'`,

  powershell: `# hawser completion for PowerShell
Register-ArgumentCompleter -Native -CommandName hawser, hawser.exe -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $elements = $commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.StartOffset -lt $cursorPosition }
    $words = @($elements | ForEach-Object { "$_" })
    $flags = @(if ($wordToComplete -eq '') { '--new-word' })
    & $commandAst.CommandElements[0].ToString() __complete @flags -- @words 2>$null | Where-Object { $_ -ne ':files' } | ForEach-Object {
        $word, $what = $_ -split "\`t", 2
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $(if ($what) { $what } else { $word }))
    }
}`,
};
