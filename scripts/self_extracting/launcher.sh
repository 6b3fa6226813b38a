#!/bin/sh
# hawser @VERSION@ for Linux @ARCH@, one file. Its first start unpacks it into the user's cache folder; every start runs it there.
# Needs sh, mkdir, mktemp, tail, gzip, tar, mv and rm, and those only once. Made by scripts/compile.ts.
set -eu
case $0 in /*) self=$0 ;; *) self=$PWD/$0 ;; esac
cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
cache=${cache:-/tmp}/hawser
app=$cache/app-@HASH@

fail() {
  echo "hawser: $1" >&2
  exit 1
}

unpack() {
  mkdir -p "$cache" || fail "cannot create the folder \"$cache\": set XDG_CACHE_HOME to a folder you can write to"
  new=$(mktemp -d "$cache/.new-XXXXXX") || fail "cannot write to \"$cache\": set XDG_CACHE_HOME to a folder you can write to"
  trap 'rm -rf "$new"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  mkdir "$new/app"
  tail -c "+@OFFSET@" "$self" | gzip -dc | tar -xf - -C "$new/app" ||
    fail "cannot unpack \"$self\" into \"$cache\": the disk may be full, or the file damaged; compare its SHA-256"
  # A system without a C library, or with one too old for Deno, gets the one carried along.
  if said=$("$new/app/deno" --version 2>&1); then rm -rf "$new/app/lib"; fi
  # Another first start may have been faster. Its folder is whole, and ours then lands inside it.
  mv "$new/app" "$app" && rm -rf "$app/app"
  rm -rf "$new"
  trap - EXIT INT TERM HUP
}

# Deno finds itself through it.
[ -d /proc/self ] || fail "/proc is not mounted: mount it (mount -t proc proc /proc)"
[ -d "$app" ] || unpack
# /tmp is everybody's: what somebody else put there is not ours to run.
[ "$cache" != /tmp/hawser ] || [ -O "$cache" ] || fail "\"$cache\" belongs to somebody else: set HOME or XDG_CACHE_HOME"

if [ -n "${DENO_DIR:-}" ]; then export HAWSER_USERS_DENO_DIR="$DENO_DIR"; fi
export DENO_DIR="$app/deno-dir" DENO_NO_UPDATE_CHECK=1 HAWSER_PROGRAM="$self"
set -- run --quiet @PERMISSIONS@ "$app/bundle/start.js" "$@"
if [ -d "$app/lib" ]; then exec "$app/lib/@LOADER@" --library-path "$app/lib" "$app/deno" "$@"; fi
exec "$app/deno" "$@"
