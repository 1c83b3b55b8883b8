#!/usr/bin/env bash
# Prints the distribution packages that installed programs need: scripts/runtime_packages.sh PROGRAM...
#
# On Debian or Ubuntu, on the machine that built them: the packages of the shared libraries that the programs name, and
# what they start: bubblewrap, and g++ for the device `cpu`. For images and packages of one's own; see Dockerfile.
set -euo pipefail

if [ $# = 0 ] || [ "$1" = --help ]; then
  sed -n '2,5s/^# \{0,1\}//p' "$0"
  exit 1
fi

owner() {  # of the library "$1"; merged systems know some files under /lib and some under /usr/lib
  local path
  for path in "$1" "/usr$1" "${1#/usr}" "$(readlink -f "$1")"; do
    dpkg-query -S "$path" 2>/dev/null | cut -d: -f1 && return
  done
  return 1
}

libraries=$(ldd "$@" | awk '$2 == "=>" { print $3 }' | sort -u)
if missing=$(ldd "$@" | grep 'not found' | sort -u) && [ -n "$missing" ]; then
  printf 'runtime_packages: libraries that are nowhere:\n%s\n' "$missing" >&2
  exit 1
fi
{
  echo ca-certificates
  echo bubblewrap
  echo g++
  for library in $libraries; do
    case $library in /lib/* | /lib64/* | /usr/lib/*)  # what was installed along needs no package
      owner "$library" || { echo "runtime_packages: no package owns $library" >&2; exit 1; } ;;
    esac
  done
} | sort -u
