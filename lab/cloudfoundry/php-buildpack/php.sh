# What both stand-ins have in common: they lay out the distribution's PHP and nginx as Cloud Foundry does.

common=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# Distributions keep servers where Cloud Foundry's PATH does not look.
servers=/usr/local/sbin:/usr/sbin:/sbin

php_version=$(php -n -r 'echo PHP_VERSION;')
php_api=no-debug-non-zts-$(php -n -r 'echo preg_replace("/\D*/", "", basename(PHP_EXTENSION_DIR));')

# install_php DIRECTORY: PHP as the buildpack would unpack it there, but without its configuration.
install_php() {
  local php fpm extensions
  php=$(readlink -f "$(command -v php)")
  # Ubuntu's PHP_VERSION may end in the version of its package, such as 8.1.2-1ubuntu2.29.
  fpm=php-fpm$(php -n -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;')
  fpm=$(PATH=$PATH:$servers; command -v "$fpm" || command -v php-fpm)
  extensions=$(php -n -r 'echo PHP_EXTENSION_DIR;')
  mkdir -p "$1"/{bin,sbin,var/run,etc} "$1/lib/php/extensions/$php_api"
  write_wrapper "$1/bin/php" "$php"
  # php-fpm runs as root only with -R. In Cloud Foundry nobody is root; in a container on a laptop one often is.
  write_wrapper "$1/sbin/php-fpm" "$fpm" "$([ "$(id -u)" != 0 ] || echo -R)"
  ln -s "$extensions"/*.so "$1/lib/php/extensions/$php_api/"
}

# Cloud Foundry's PHP has no scan directory compiled in: an empty element of PHP_INI_SCAN_DIR adds no directory there,
# nor does the absence of the variable. The distribution's PHP would read its own conf.d.
write_wrapper() {
  cat > "$1" <<WRAPPER
#!/bin/sh
scanned=
IFS=:
for directory in \${PHP_INI_SCAN_DIR:-}; do
  if [ -n "\$directory" ]; then scanned=\$scanned\${scanned:+:}\$directory; fi
done
unset IFS
export PHP_INI_SCAN_DIR="\$scanned"
exec '$2' ${3:-} "\$@"
WRAPPER
  chmod 755 "$1"
}

# install_nginx DIRECTORY
install_nginx() {
  mkdir -p "$1/sbin"
  ln -s "$(PATH=$PATH:$servers; command -v nginx)" "$1/sbin/nginx"
}

# install_configuration ETC BUILD: the defaults, and over them the app's own files.
install_configuration() {
  cp "$common"/php.ini "$common"/php-fpm.conf "$1"
  if [ -d "$2/.bp-config/php" ]; then cp -R "$2/.bp-config/php/." "$1"; fi
  fill PHP_API "$php_api" "$1/php.ini"
}

# load_extensions PHP_INI NAME...: writes `extension=` lines, but none for an extension that is not there.
load_extensions() {
  local ini=$1 lines='' name
  shift
  for name in "$@"; do
    if [ -e "$(dirname "$ini")/../lib/php/extensions/$php_api/$name.so" ]; then
      lines+="extension=$name.so"$'\n'
    else
      echo "       PHP has no extension $name here, left out"
    fi
  done
  fill PHP_EXTENSIONS "$lines" "$ini"
  fill ZEND_EXTENSIONS '' "$ini"
}

# include_fpm_files ETC DIRECTORY_AT_RUN_TIME: includes the app's own pool settings, if it has any.
include_fpm_files() {
  local line=''
  if compgen -G "$1/fpm.d/*.conf" > /dev/null; then line="include=$2/*.conf"; fi
  fill PHP_FPM_CONF_INCLUDE "$line" "$1/php-fpm.conf"
}

# fill NAME VALUE FILE...: replaces @{NAME} and #{NAME}, and leaves every other byte, also at the end of the file.
fill() {
  name=$1 value=$2 perl -0pi -e 's/[\@#]\{\Q$ENV{name}\E\}/$ENV{value}/g' "${@:3}"
}

# move_into_webdir BUILD WEBDIR LIBDIR: makes an app without a web directory the content of one.
move_into_webdir() {
  local path
  if [ -d "$1/$2" ]; then return; fi
  echo "       WEBDIR '$2' not found, moving the app into it"
  mkdir -p "$1/$2"
  for path in "$1"/*; do
    case ${path##*/} in
      "$2" | "$3" | manifest.yml) ;;
      *) mv "$path" "$1/$2/" ;;
    esac
  done
}

nginx_user() {
  if [ "$(id -u)" = 0 ]; then echo 'user root;'; fi
}

# write_supplied_profile DEPS PROFILE: lets the app find the programs and scripts of all buildpacks when it starts.
write_supplied_profile() {
  local path index
  {
    for path in "$1"/*/bin; do
      index=$(basename "$(dirname "$path")")
      if [ -d "$path" ]; then echo "export PATH=\$DEPS_DIR/$index/bin:\$PATH"; fi
    done
  } > "$2/000_multi-supply.sh"
  for path in "$1"/*/profile.d/*; do
    index=$(basename "$(dirname "$(dirname "$path")")")
    # libbuildpack takes plain files only, not links.
    if [ -f "$path" ] && [ ! -L "$path" ]; then cp "$path" "$2/${index}_$(basename "$path")"; fi
  done
}
