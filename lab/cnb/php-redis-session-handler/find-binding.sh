# Sets `binding` to the directory of the binding that Paketo's handler looks for.
binding=
for file in "${SERVICE_BINDING_ROOT:-$CNB_PLATFORM_DIR/bindings}"/*/type; do
  if [ -f "$file" ] && [ "$(cat "$file")" = php-redis-session ]; then binding=$(dirname "$file"); fi
done
