#!/bin/bash
# Completes the words of skolo's command line.
_skolo() {
  COMPREPLY=()
  local word words=()
  # bash makes three words of --rack=FILE.
  for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    [[ $word == = ]] || words+=("$word")
  done
  [[ ${COMP_WORDS[COMP_CWORD]} == = ]] && words+=('')
  while IFS= read -r word; do
    COMPREPLY+=("$word")
  done < <(skolo completion words -- "${words[@]}" 2>/dev/null)
}
complete -o default -F _skolo skolo
