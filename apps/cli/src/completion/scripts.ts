// SPDX-License-Identifier: Apache-2.0
import { completionKey } from './completion-key.ts';

/** The scripts that have a shell ask rkt what may follow, by shell. */
export const completionScripts: Readonly<Record<string, string>> = {
  bash: `# bash completion for rkt. To have it in every shell: rkt completion bash > /etc/bash_completion.d/rkt
_rkt() {
  local current line=\${COMP_LINE:0:COMP_POINT} candidate rest path
  local -a words=()
  # Not COMP_WORDS: bash breaks words at = and : there.
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=\${words[\${#words[@]} - 1]}
  # Only what stands after the last break is replaced by bash.
  rest=$current
  [[ $COMP_WORDBREAKS == *=* ]] && rest=\${rest##*=}
  [[ $COMP_WORDBREAKS == *:* ]] && rest=\${rest##*:}
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate _; do
    if [[ $candidate == :files ]]; then
      path=\${current##*[=:]}
      while IFS= read -r candidate; do
        candidate=\${current%"$path"}$candidate
        COMPREPLY+=("\${candidate#"\${current%"$rest"}"}")
      done < <(compgen -f -- "$path")
      compopt -o filenames
    else
      COMPREPLY+=("\${candidate#"\${current%"$rest"}"}")
    fi
  done < <(rkt ${completionKey} "\${words[@]:1}" 2>/dev/null)
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]] && compopt -o nospace
  return 0
}
complete -F _rkt rkt
`,
  zsh: `#compdef rkt
# zsh completion for rkt. To have it in every shell: rkt completion zsh > "\${fpath[1]}/_rkt"
_rkt() {
  local line word
  local -a complete complete_about open open_about
  for line in "\${(@f)$(rkt ${completionKey} "\${(@Q)words[2,CURRENT - 1]}" "$PREFIX" 2>/dev/null)}"; do
    word=\${line%%$'\\t'*}
    case $line in
      '') ;;
      :files) [[ $PREFIX == -*=* ]] && compset -P '*='; _files ;;
      *=$'\\t'*) open+=("$word"); open_about+=("\${line/$'\\t'/  -- }") ;;
      *) complete+=("$word"); complete_about+=("\${line/$'\\t'/  -- }") ;;
    esac
  done
  (( $#complete )) && compadd -l -d complete_about -a complete
  (( $#open )) && compadd -l -S '' -d open_about -a open
}
if [[ $funcstack[1] == _rkt ]]; then _rkt "$@"; else compdef _rkt rkt; fi
`,
  fish: `# fish completion for rkt. To have it in every shell: rkt completion fish > ~/.config/fish/completions/rkt.fish
function __rkt_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    for line in (rkt ${completionKey} $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = :files
            set -l before (string match --regex -- '^--[^=]*=' "$current")
            __fish_complete_path (string replace -- "$before" '' "$current") | string replace --regex '^' -- "$before"
        else
            printf '%s\\n' $line
        end
    end
end
complete --command rkt --no-files --arguments '(__rkt_complete)'
`,
};
