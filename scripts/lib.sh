# shellcheck shell=bash
# What the scripts beside this file share. They source it in the top folder of the checkout.

mkdir -p .cache

say() { printf '%s\n' "$*"; }

fail() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
  exit 1
}

# logged NAME COMMAND...: keeps the output in .cache/NAME.log, and prints the end of it only when the command fails.
logged() {
  local log=.cache/$1.log status
  shift
  # A condition ("if", "||") around the command would switch errexit off inside.
  set +e
  (set -e; "$@") >"$log" 2>&1 </dev/null
  status=$?
  set -e
  [ $status -ne 0 ] || return 0
  tail -n 30 "$log" >&2
  fail "failed: $*" "the whole output is in $log"
}

require() {
  local program missing=()
  for program in "$@"; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  [ ${#missing[@]} -eq 0 ] || fail "these programs are missing: ${missing[*]}" 'scripts/setup installs them on Debian and Ubuntu'
}
