# Completion in bash of jwtshim, jwtshim-run and jwtshim-entrypoint. Their own --help is asked for the words, so these are never out of date.
# Needs nothing but bash; with bash-completion, what stands behind a command to run is completed as that command's.

# _jwtshim_words PATTERN COMMAND...: what of the command's help is like PATTERN
_jwtshim_words() {
  local pattern=$1
  shift
  "$@" --help 2> /dev/null | grep -oE -e "$pattern" | tr -d ' [|' | sort -u
}

_jwtshim_value() { # OPTION: candidates for its value; fails where it has none that are known
  case $1 in
    --log) COMPREPLY=($(compgen -W $'stderr\nsyslog\noff' -- "$2") $(compgen -f -- "$2")) ;;
    --log-level) COMPREPLY=($(compgen -W $'rewrite\nall' -- "$2")) ;;
    --method) COMPREPLY=($(compgen -W $'GET\nPOST\nPUT\nDELETE\nPATCH\nHEAD' -- "$2")) ;;
    --by) COMPREPLY=($(compgen -W $'program\nhost\nreason\nlayer' -- "$2")) ;;
    --proxy-config) COMPREPLY=($(compgen -W $'haproxy\nnginx' -- "$2")) ;;
    --secret-file|--ca-file|--cert|--object|--html) COMPREPLY=($(compgen -f -- "$2")) ;;
    --try) COMPREPLY=($(compgen -c -- "$2") $(compgen -f -- "$2")) ;;
    --root) COMPREPLY=($(compgen -d -- "$2")) ;;
    --hosts|--iss|--url|--base-url|--claim|--exp-in|--since|--until|--top|--last|--listen|--resolver) COMPREPLY=() ;;
    *) return 1 ;;
  esac
  return 0 # whatever was found
}

# _jwtshim_offset NUMBER: a command begins at this word
_jwtshim_offset() {
  if [ "$1" -ge "$COMP_CWORD" ]; then
    COMPREPLY=($(compgen -c -- "${COMP_WORDS[COMP_CWORD]}") $(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
  elif declare -F _command_offset > /dev/null; then
    _command_offset "$1"
  else
    COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
  fi
}

# The first word from NUMBER on that is neither an option nor the value of one: where a command to run begins.
_jwtshim_command_at() {
  local at=$1
  while [ "$at" -lt "$COMP_CWORD" ]; do
    case ${COMP_WORDS[at]} in
      --) echo $((at + 1)); return ;;
      --log|--log-level|--hosts) at=$((at + 1)); if [ "${COMP_WORDS[at]}" = = ]; then at=$((at + 1)); fi ;;
      -*) ;;
      *) break ;;
    esac
    at=$((at + 1))
  done
  echo "$at"
}

_jwtshim() {
  local IFS=$'\n' word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} program=$1 start=1 help
  if [ "$word" = = ]; then word=; elif [ "$before" = = ]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi
  help=("$program")
  COMPREPLY=()
  if [ "${program##*/}" = jwtshim ]; then
    if [ "$COMP_CWORD" = 1 ]; then
      COMPREPLY=($(compgen -W "$(_jwtshim_words '^  [a-z][a-z-]+' "$program")"$'\n--help\n--version' -- "$word"))
      return
    fi
    help+=("${COMP_WORDS[1]}") start=2
  fi
  case ${program##*/}/${COMP_WORDS[1]} in
    jwtshim/run|jwtshim-run/*|jwtshim-entrypoint/*)
      local at
      at=$(_jwtshim_command_at "$start")
      if [ "$at" -lt "$COMP_CWORD" ] || [[ $word != -* && $before != --log* && $before != --hosts ]]; then
        _jwtshim_offset "$at"
        return
      fi ;;
  esac
  if _jwtshim_value "$before" "$word"; then return; fi
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$(_jwtshim_words '(^|[ [|])--[a-z][a-z0-9-]*' "${help[@]}")" -- "$word"))
  else
    case ${COMP_WORDS[1]} in
      doctor) COMPREPLY=($(compgen -c -- "$word") $(compgen -f -- "$word")) ;;
      *) COMPREPLY=($(compgen -f -- "$word")) ;;
    esac
  fi
  return 0
}

complete -o filenames -F _jwtshim jwtshim jwtshim-run jwtshim-entrypoint
