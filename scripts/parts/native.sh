# shellcheck shell=bash
# The native part of scripts/build, for one architecture at a time: the C library, the interpreter, the executable.
# Everything in .cache has a name that says what it was made with, and no path in it: it can be copied to another checkout.

read -r quickjs_sha256 quickjs_tarball <native/quickjs.sha256
read -r musl_sha256 musl_tarball <native/musl.sha256
link_flags=(-static -s '-Wl,--gc-sections' '-Wl,--build-id=none')
# What is not the interpreter itself need not be as fast.
small=-Os

# The folders of musl's src from which something is linked; the others need not be compiled.
musl_folders=(conf dirent env errno exit fcntl internal ldso linux locale malloc malloc/mallocng math misc mman multibyte
  process select signal stat stdio stdlib string temp termios thread time unistd)

# use_machine MACHINE: sets the compiler and its flags, and fetches and compiles what is linked. Nothing of the
# distribution is linked but gcc's own library. Another machine than this one needs Debian's cross compiler.
use_machine() {
  machine=$1
  # Functions are neither inlined nor aligned: 61 KB less, and a start takes 3 % longer.
  flags=(-O2 -fno-inline-functions -fno-align-functions -fno-align-loops -fno-align-jumps -fwrapv
    -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -D_GNU_SOURCE
    '-DCONFIG_VERSION="2025-04-26"')
  # gcc's helpers for atomic operations ask glibc, which is not there, what the processor can do. And gcc would fuse a
  # multiplication and an addition, which rounds once where x86-64 rounds twice.
  [ "$machine" != aarch64 ] || flags+=(-mno-outline-atomics -ffp-contract=off)
  gcc=gcc
  [ "$machine" = "$(uname -m)" ] || use_cross_compiler
  use_musl
  use_runtime
}

use_cross_compiler() {
  [ "$machine" = aarch64 ] || fail "no compiler for $machine is known on $(uname -m)"
  gcc=aarch64-linux-gnu-gcc
  command -v $gcc >/dev/null ||
    fail "$gcc is missing" 'it is in the package gcc-aarch64-linux-gnu, which scripts/setup --arm64 installs'
}

use_musl() {
  local key
  key=$({ echo "$musl_sha256" "${musl_folders[@]}"; $gcc -v 2>&1; } | hash_of)
  musl=$PWD/.cache/musl-$machine-${key:0:16}
  if [ ! -d "$musl" ]; then
    have_source musl "$musl_tarball" "$musl_sha256"
    say "compiling musl for $machine (only this once, about half a minute)"
    logged "musl-$machine" compile_musl
  fi
  compiler=($gcc -nostdinc -isystem "$musl/include" -isystem "$($gcc -print-file-name=include)")
}

compile_musl() {
  local build=$musl.tmp
  unpack "$musl_tarball" "$build"
  (
    cd "$build"
    CC=$gcc AR=${gcc%gcc}ar RANLIB=${gcc%gcc}ranlib ./configure --target="$machine" --disable-shared --prefix=/
    make -j "$(nproc)" SRC_DIRS="${musl_folders[*]/#/./src/} ./crt" lib/libc.a lib/crt1.o lib/crti.o lib/crtn.o
    make install-headers DESTDIR=keep
    mkdir keep/lib
    mv lib/{libc.a,crt1.o,crti.o,crtn.o} keep/lib/
  )
  keep "$build" "$musl"
}

use_runtime() {
  runtime_key=$({ echo "$quickjs_sha256" "${flags[@]}" $small "$musl_sha256"; $gcc -v 2>&1; } | hash_of)
  runtime=$PWD/.cache/runtime-${runtime_key:0:16}
  [ ! -d "$runtime" ] || return 0
  have_source quickjs "$quickjs_tarball" "$quickjs_sha256"
  say "compiling QuickJS for $machine (only this once, about half a minute)"
  logged runtime compile_runtime
}

# The compiler of bytecode runs here. Its bytecode is the same for every 64-bit little-endian machine.
compile_runtime() {
  local build=$runtime.tmp file
  local files=(quickjs quickjs-libc cutils dtoa libregexp libunicode)
  unpack "$quickjs_tarball" "$build"
  (
    cd "$build"
    gcc -O0 -fwrapv -D_GNU_SOURCE '-DCONFIG_VERSION="2025-04-26"' -o qjsc qjsc.c "${files[@]/%/.c}" -lm -lpthread -ldl
    "${compiler[@]}" "${flags[@]}" -c quickjs.c
    for file in "${files[@]:1}"; do "${compiler[@]}" "${flags[@]}" $small -c "$file.c"; done
    ar rcsD libquickjs.a "${files[@]/%/.o}"
    mkdir keep
    mv qjsc libquickjs.a quickjs.h quickjs-libc.h keep/
  )
  keep "$build" "$runtime"
}

# link_executable BUNDLE RESULT
link_executable() {
  local build=$work/$machine
  mkdir "$build"
  cp native/*.c native/*.h "$1" "$build/"
  (
    cd "$build"
    # The bytecode contains this name: a relative one does not show where the checkout is.
    "$runtime/qjsc" -c -s -m -M qjs:std,std -M qjs:os,os -M qjs:supervise,supervise -M qjs:access,access -M qjs:files,files \
      -M qjs:run,run -N bytecode -o bytecode.h "${1##*/}"
    link_program "$2" -I "$runtime" ./*.c "$runtime/libquickjs.a"
  )
}

# link_program RESULT ARGUMENT...: a static program, with musl.
link_program() {
  "${compiler[@]}" "${flags[@]}" $small "${link_flags[@]}" -nostdlib -o "$1" "$musl"/lib/crt{1,i}.o "${@:2}" \
    -Wl,--start-group "$musl/lib/libc.a" -lgcc -Wl,--end-group "$musl/lib/crtn.o"
}

unpack() {
  rm -rf "$2"
  mkdir -p "$2"
  tar -xf ".cache/$1" -C "$2" --strip-components=1
}

# keep BUILD TARGET: only a whole result gets its name.
keep() {
  rm -rf "$2"
  mv "$1/keep" "$2"
  rm -rf "$1"
}

# have_source PACKAGE TARBALL SHA256: fetches it unless it is there; it must be the one that was reviewed.
have_source() {
  local sha256
  if [ ! -f ".cache/$2" ]; then
    say "fetching Debian's source of $1, $2"
    logged "fetch-$1" fetch_source "$1" "$2"
  fi
  read -r sha256 _ < <(sha256sum ".cache/$2")
  [ "$sha256" = "$3" ] || fail "$2 is not the file that was reviewed" \
    "expected sha256 $3" "got             $sha256" "remove .cache/$2 to fetch it again"
}

# "Trusted", because Ubuntu lacks Debian's keys: the checksum in native/ is what counts. Point releases of Debian change its
# patches, and leave this tarball, the upstream release, as it is.
fetch_source() {
  local apt=$PWD/.cache/apt
  write_source "$apt" deb-src "$(archive_of Debian '' http://deb.debian.org/debian)" trixie main 'Trusted: yes'
  own_apt "$apt" apt-get update
  (cd "$apt" && own_apt "$apt" apt-get source --download-only --only-source "$1")
  mv "$apt/$2" .cache/
  rm -rf "$apt"
}

hash_of() { sha256sum | cut -d ' ' -f 1; }
