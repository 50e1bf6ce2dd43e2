# What Cloud Foundry's launcher does in the container, restated: launcher.sh APP_DIRECTORY COMMAND
#
# It has no `set -e`, and it sources: a script that fails does not stop the app, one that calls `exit` does,
# and what it exports the app has.
export HOME=$1
export TMPDIR=${1%/*}/tmp
export DEPS_DIR=${1%/*}/deps
unset VCAP_PLATFORM_OPTIONS

cd "$1"
for lab_script in ../profile.d/* .profile.d/*; do
  if [ -f "$lab_script" ]; then source "$lab_script"; fi
done
# The shell of `cf ssh` is the same without this one.
if [ "${LAB_SHELL:-}" = '' ] && [ -f .profile ]; then source .profile; fi

unset LAB_SHELL
exec bash -c "$2"
