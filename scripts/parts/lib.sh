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

# The name of this machine's release, such as bookworm.
codename() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; }

# archive_of DISTRIBUTION SUFFIX FALLBACK: where this machine's apt fetches its release of Debian or Ubuntu, as people who
# have a mirror have set it; the fallback on another distribution. SUFFIX is that of the release: empty, or -security.
# DEBIAN_ARCHIVE overrides it for Debian.
archive_of() {
  local distribution=$1 suffix=$2 found=''
  if [ "$distribution" = Debian ] && [ -n "${DEBIAN_ARCHIVE:-}" ]; then
    printf '%s\n' "$DEBIAN_ARCHIVE$suffix"
    return
  fi
  if grep -qsix "ID=$distribution" /etc/os-release && command -v apt-get >/dev/null; then
    # With the lists of packages apt knows whose release it is. Without them the first source of the name counts.
    found=$(archives_in_apt | awk -F '|' -v of="$distribution" -v name="$(codename)$suffix" \
      '$1 == of && ($2 == name || $3 == name) { print $4; exit }')
    [ -n "$found" ] || found=$(archives_in_apt --no-release-info | awk -F '|' -v name="$(codename)$suffix" \
      '($3 == name || $3 ~ /^(old)*stable'"$suffix"'$/) { print $4; exit }')
  fi
  printf '%s\n' "${found:-$3}"
}

archives_in_apt() {
  # shellcheck disable=SC2016 # apt fills these in
  apt-get indextargets "$@" --format '$(ORIGIN)|$(CODENAME)|$(RELEASE)|$(SITE)' 'Created-By: Packages' \
    'Component: main' 2>/dev/null
}

# own_apt DIRECTORY PROGRAM ARGUMENT...: apt with the sources in DIRECTORY/parts, and lists and packages of its own. It
# reads the machine's apt.conf, where a proxy may be, and its credentials. No root is needed.
own_apt() {
  local at=$1 program=$2
  mkdir -p "$at"/{parts,lists/partial,cache/archives/partial}
  timeout --foreground 600 "$program" -q -o Dir::State::Lists="$at/lists" -o Dir::Cache="$at/cache" \
    -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$at/parts" \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o Debug::NoLocking=1 -o APT::Sandbox::User=root "${@:3}"
}

# why_not LOG: why apt, or else another command, failed, for people.
why_not() {
  local error
  if grep -q NO_PUBKEY "$1"; then
    echo 'the keyring on this machine is older than the keys of that release'
    return
  fi
  error=$(sed -nE 's/^(E: |W: (Failed to fetch))/\2/p' "$1" | head -n 1)
  printf '%s\n' "${error:-$(tail -n 1 "$1")}"
}

# write_source DIRECTORY TYPE ARCHIVE SUITE COMPONENTS SIGNED_BY: a source of own_apt.
write_source() {
  mkdir -p "$1/parts"
  printf 'Types: %s\nURIs: %s\nSuites: %s\nComponents: %s\n%s\n' "$2" "$3" "$4" "$5" "$6" >"$1/parts/$4.sources"
}
