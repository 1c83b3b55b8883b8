#!/usr/bin/env bash
# Prints the distribution packages that installed programs need: scripts/runtime_packages.sh PROGRAM...
#
# Run it on the Debian or Ubuntu machine that built the programs. It lists the packages of the shared libraries that they
# need, and of what they start: bubblewrap, and g++ for the device `cpu`. For building images; see Dockerfile.
set -euo pipefail

if [ $# = 0 ] || [ "$1" = --help ]; then
  sed -n '2,5s/^# \{0,1\}//p' "$0"
  exit 1
fi

owner() {  # of the library "$1"; merged-/usr systems list some files under /lib and some under /usr/lib
  local path
  for path in "$1" "/usr$1" "${1#/usr}" "$(readlink -f "$1")"; do
    dpkg-query -S "$path" 2>/dev/null | cut -d: -f1 && return
  done
  return 1
}

libraries=$(ldd "$@" | awk '$2 == "=>" { print $3 }' | sort -u)
if missing=$(ldd "$@" | grep 'not found' | sort -u) && [ -n "$missing" ]; then
  printf 'runtime_packages: missing libraries:\n%s\n' "$missing" >&2
  exit 1
fi
{
  echo ca-certificates
  echo bubblewrap
  echo g++
  for library in $libraries; do
    case $library in /lib/* | /lib64/* | /usr/lib/*)  # libraries installed with kevolve need no package
      owner "$library" || { echo "runtime_packages: no package owns $library" >&2; exit 1; } ;;
    esac
  done
} | sort -u
