#!/usr/bin/env bash
# Fails where two of our files define one type differently, which C++ forbids (the one-definition rule) and no
# ordinary link notices.
#
#   check_odr.sh COMPILER FOLDER    all objects of our modules in a build folder with KEVOLVE_ODR=ON (preset ci)
#   check_odr.sh COMPILER           shows that the check works: two files with different twins must fail
#
# g++ merges the types of all objects (-flto) and compares their definitions (-Wodr). It generates no code, so
# this takes seconds.
set -euo pipefail

compiler=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compare() {  # main() may come several times: each program has its own
  "$compiler" -r -nostdlib -flto -flinker-output=rel -Wl,--allow-multiple-definition -Wodr -Werror=odr \
    -Werror=lto-type-mismatch -o "$work/all.o" "$@"
}

if [ $# -gt 1 ]; then
  mapfile -t objects < <(cd "$2" && find archive core daemon llm_client -name '*.o' -printf "$2/%p\n")
  if [ ${#objects[@]} -lt 20 ]; then
    echo "check_odr: only ${#objects[@]} objects in $2; build it with: scripts/build.sh --preset ci all" >&2
    exit 1
  fi
  for object in "${objects[@]}"; do
    if ! readelf -SW "$object" | grep '\.gnu\.lto_' >/dev/null; then
      echo "check_odr: $object says nothing about its types; configure with -DKEVOLVE_ODR=ON (preset ci)" >&2
      exit 1
    fi
  done
  compare "${objects[@]}"
  echo "check_odr: ${#objects[@]} objects agree about their types"
  exit
fi

twin() { printf 'namespace kevolve { struct Report { %s rows; }; %s f(Report r) { return r.rows; } }\n' "$1" "$1"; }
twin int | "$compiler" -x c++ -O2 -flto -ffat-lto-objects -c -o "$work/a.o" -
twin float | sed 's/ f(/ g(/' | "$compiler" -x c++ -O2 -flto -ffat-lto-objects -c -o "$work/b.o" -
compare "$work/a.o"
if compare "$work/a.o" "$work/b.o" 2>"$work/said"; then
  echo "check_odr: two definitions of one type passed; does $compiler know -Wodr?" >&2
  exit 1
fi
grep 'violates the C++ One Definition Rule' "$work/said"
