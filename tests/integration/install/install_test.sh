#!/usr/bin/env bash
# Installs into a folder, moves it, and uses the programs from there: install_test.sh SOURCE_TREE BUILD_TREE
set -euo pipefail

source=$1 build=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cmake --install "$build" --prefix "$folder/first" >"$folder/log"
mv "$folder/first" "$folder/tree"  # nothing may depend on where it was installed
tree=$folder/tree
export HOME=$folder XDG_CACHE_HOME=$folder KEVOLVE_ARCHIVE=$folder/archive.db
cd "$folder"

failures=0
check() {  # check WHAT PATTERN COMMAND...: the command's output holds the pattern
  local what=$1 pattern=$2 output
  shift 2
  output=$("$@" 2>&1) || true
  if grep -q -e "$pattern" <<<"$output"; then
    echo "ok: $what"
  else
    echo "FAILED: $what: no '$pattern' in the output of: $*"
    printf '%s\n' "$output" | head -n 20
    failures=$((failures + 1))
  fi
}
gelu=$tree/share/kevolve/kernels/seed/gelu
judged() { "$tree/bin/kevolve" evaluate "$gelu/naive.cu" --operator gelu --workload small --device "$1" --gates "$2"; }

check "a kernel is judged on the cpu device" passed judged cpu timing
check "a kernel is compiled for a GPU" passed judged cuda:sm_90a inspect
check "the schema of models and their list are there" gpt "$tree/bin/kevolve" models
check "the service reads the installed example" "token" "$tree/bin/kevolved" --config "$tree/share/kevolve/config/kevolved.json"
check "the documentation is there" "kevolved" cat "$tree/share/doc/kevolve/daemon.md"
check "the unit names the prefix" "^ExecStart=$folder/first/bin/kevolved " cat "$tree/lib/systemd/system/kevolved.service"
check "the runtime packages can be named" "^bubblewrap$" "$source/scripts/runtime_packages.sh" "$tree"/bin/kevolve*

# The entry point of the image, with the words that kevolved puts behind a launcher.
cp "$source/scripts/image_entry.sh" "$tree/bin/kevolve-image"
version=$("$tree/bin/kevolve-worker" --version)
check "the image serves as a worker" "^$version$" "$tree/bin/kevolve-image" /elsewhere/build/bin/kevolve-worker --version
check "the image serves as the service" "--config" "$tree/bin/kevolve-image" kevolved --help
check "the image serves as the command line" "^softmax" "$tree/bin/kevolve-image" operators

# That it was the installed files which served: with these changed, the outcome changes.
rm -r "$tree/share/kevolve/kernels/seed/softmax"
check "the seeds are the installed ones" "no operator 'softmax'" "$tree/bin/kevolve" operators softmax
echo '#error the installed header' >>"$tree/share/kevolve/core/devices/cpu/simt/include/kevolve_simt.hpp"
check "the header is the installed one" "the installed header" judged cpu timing
if [ -d "$tree/lib/kevolve/torch" ]; then
  check "LibTorch is the installed one" "=> $tree/.*lib/libtorch_cpu.so\|=> $tree/bin/../lib/kevolve/torch/lib/libtorch_cpu.so" ldd "$tree/bin/kevolve-worker"
fi
[ $failures = 0 ] || exit 1
