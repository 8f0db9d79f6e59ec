# shellcheck shell=sh
# forget_preload FILE OBJECT...: takes objects out of a file like /etc/ld.so.preload before they vanish, since every program prints an error
# where one is missing. All else in the file stays as it is: comments, separators, mode and owner. A file that had nothing else goes.
# For `make uninstall` and the package's prerm.
forget_preload() {
  preload=$1
  shift
  [ -e "$preload" ] || return 0
  preload=$(readlink -f -- "$preload") || return 1
  forget=$preload.jwtshim
  cp -p -- "$preload" "$forget" || return 1
  for entry in "$@"; do
    # ld.so separates by white space and colons, and reads no further than a #.
    pattern=$(printf '%s\n' "$entry" | sed -e 's/[^a-zA-Z0-9_/-]/[&]/g' -e 's/\[^]/\\^/g')
    if ! left=$(sed -E -e ':again' -e "s,^(([^#]*[[:space:]:])?)$pattern([[:space:]:#].*)?\$,\\1\\3," -e 't changed' -e 'b' \
      -e ':changed' -e '/^[[:space:]:]*$/d' -e 'b again' "$forget" && echo .) ||
      ! printf '%s' "${left%.}" > "$forget"; then
      rm -f -- "$forget"
      return 1
    fi
  done
  if cmp -s "$preload" "$forget"; then
    rm -f -- "$forget"
  elif [ -s "$forget" ]; then
    mv -f -- "$forget" "$preload"
  else
    rm -f -- "$preload" "$forget"
  fi
}
