# Does what Cloud Foundry's launcher does in the container: launcher.sh APP_DIRECTORY COMMAND
#
# It sources the profile scripts without `set -e`: a script that fails does not stop the app, a script that calls
# `exit` does, and the app gets the variables that a script exports.
export HOME=$1
export TMPDIR=${1%/*}/tmp
export DEPS_DIR=${1%/*}/deps
unset VCAP_PLATFORM_OPTIONS

cd "$1"
for lab_script in ../profile.d/* .profile.d/*; do
  if [ -f "$lab_script" ]; then source "$lab_script"; fi
done
# The shell of `cf ssh` does the same, but without this one.
if [ "${LAB_SHELL:-}" = '' ] && [ -f .profile ]; then source .profile; fi

unset LAB_SHELL
exec bash -c "$2"
