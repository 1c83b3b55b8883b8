#!/usr/bin/env bash
# Installs what kevolve needs to build and run, on Debian 12 or Ubuntu 24.04. Safe to repeat: it installs only what is
# missing, and a second run takes about a second.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/setup.sh [--test] [--no-packages]

Installs what is missing:
  1. distribution packages (compiler, CMake, Boost, SQLite, bubblewrap, ...), with apt-get
  2. LibTorch: uses $KEVOLVE_TORCH_DIR, .deps/torch, or the torch of an installed Python; otherwise
     fetches the PyPI wheel (0.5 GB download, 0.5 GB on disk, no Python at run time)
  3. NVRTC, to compile CUDA: uses $CUDA_HOME or /usr/local/cuda; otherwise fetches small PyPI wheels into .deps/

  --test         also install what scripts/test.sh needs (clang-format 14, python3, openssl, Slurm)
  --no-packages  install no distribution packages; for machines prepared by hand
  --help         print this text

No GPU is needed. Exit code 0: everything is installed; 1: something is missing, and the last lines say what.
TEXT
}

with_tests=no
with_packages=yes
for argument in "$@"; do
  case $argument in
    --test) with_tests=yes ;;
    --no-packages) with_packages=no ;;
    --help | -h) usage; exit 0 ;;
    *) echo "setup: unknown argument '$argument'; see scripts/setup.sh --help" >&2; exit 1 ;;
  esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
deps=$PWD/.deps
torch_version=2.11.0
cuda_wheels=(nvidia-cuda-nvrtc==13.0.88 nvidia-cuda-runtime==13.0.96 nvidia-cuda-crt==13.0.88
  nvidia-cuda-cccl==13.0.85 nvidia-cuda-cupti==13.0.85)

step() { printf 'setup: %s\n' "$*"; }
note() { printf 'setup:   %s\n' "$*"; }
fail() {
  printf 'setup: FAILED: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf 'setup:   %s\n' "$line" >&2; done
  exit 1
}

need_disk() {  # need_disk FOLDER MEGABYTES WHAT_FOR
  local free
  free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$2" ] || fail "too little disk space: $1 has $free MB free, $3 needs about $2 MB." \
    "Free some space there and run this again."
}

# --- distribution packages ---------------------------------------------------------------------------------

distribution() {  # "debian 12", "ubuntu 24.04", "unknown 0"
  # shellcheck source=/dev/null
  (ID=unknown VERSION_ID=0 && . /etc/os-release 2>/dev/null; echo "$ID $VERSION_ID")
}

boost_packages() {  # Debian 12's default Boost, 1.74, is too old for its own asio headers under C++20
  if [ "$1" = "debian 12" ]; then
    echo "libboost1.81-dev libboost-context1.81-dev"
  else
    echo "libboost-dev libboost-context-dev"
  fi
}

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

have_pip() { "$1" -m pip --version >/dev/null 2>&1; }

find_pip() {  # a Python 3 with a working pip, of any version: wheels are chosen by explicit tags
  local python
  for python in python3 /usr/bin/python3; do
    if command -v "$python" >/dev/null && have_pip "$python"; then
      echo "$python"
      return 0
    fi
  done
  return 1
}

missing_packages() {  # of the distribution "$1", one per line
  local pair package
  for pair in g++:g++ cmake:cmake ninja:ninja-build pkg-config:pkg-config git:git bwrap:bubblewrap; do
    command -v "${pair%%:*}" >/dev/null || echo "${pair##*:}"
  done
  # shellcheck disable=SC2046
  for package in ca-certificates $(boost_packages "$1") nlohmann-json3-dev libfmt-dev libcli11-dev \
    libexpected-dev libsqlite3-dev libzstd-dev libssl-dev libseccomp-dev libcurl4-openssl-dev catch2 libbenchmark-dev; do
    installed "$package" || echo "$package"
  done
  if [ $with_tests = yes ]; then  # tests/fault_server: Python's standard library, and a certificate for TLS
    command -v python3 >/dev/null || echo python3
    command -v openssl >/dev/null || echo openssl
    command -v srun >/dev/null || echo slurm-wlm  # tests/integration/slurm starts its own
  fi
  if must_download; then
    command -v unzip >/dev/null || echo unzip
    find_pip >/dev/null || echo python3-pip
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo -n "$@"
  elif command -v sudo >/dev/null && [ -t 0 ]; then
    sudo "$@"
  else
    return 77
  fi
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 "$@"
}

# Installs packages without starting their services (slurm-wlm brings munge): a temporary policy-rc.d forbids it.
apt_without_services() {
  local policy=/usr/sbin/policy-rc.d status=0
  if [ -e $policy ]; then
    apt "$@"
    return
  fi
  as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy" || return
  apt "$@" || status=$?
  as_root rm -f $policy
  return $status
}

install_packages() {
  local system packages status=0
  system=$(distribution)
  if [ $with_packages = no ]; then
    step "1/4 distribution packages: skipped (--no-packages)"
    return
  fi
  case $system in
    "debian 12"* | "debian 13"* | "ubuntu 24."* | "ubuntu 25."* | "ubuntu 26."*) ;;
    *) fail "this is '$system'; packages can be installed on Debian 12 and Ubuntu 24.04 or newer only." \
      "Install by hand g++ 12 or newer, CMake 3.22, Ninja, pkg-config, git, unzip, Boost 1.81 with context," \
      "nlohmann-json, fmt, CLI11, tl-expected, SQLite, zstd, OpenSSL, libseccomp, libcurl, Catch2 and bubblewrap," \
      "then run scripts/setup.sh --no-packages." ;;
  esac
  packages=$(missing_packages "$system" | tr '\n' ' ')
  if [ -z "$packages" ]; then
    step "1/4 distribution packages: all installed ($system)"
    return
  fi
  step "1/4 distribution packages: installing $packages"
  need_disk /usr 1000 "the installation of packages"
  apt update -q || status=$?
  [ $status != 77 ] || fail "these packages are missing, and you are not root and have no sudo:" "$packages" \
    "Ask an administrator to run: apt-get install --no-install-recommends $packages"
  [ $status = 0 ] || note "apt-get update failed (no network?); trying with the existing package lists"
  # shellcheck disable=SC2086
  apt_without_services install -q -y --no-install-recommends --no-remove $packages ||
    fail "apt-get could not install the packages; its messages above say why." \
      "'Temporary failure resolving' or 'Unable to fetch' mean that the package mirrors cannot be reached."
}

check_compiler() {
  local compiler=${CXX:-g++} version cmake_version
  command -v "$compiler" >/dev/null || fail "no C++ compiler: '$compiler' is not on PATH. Install g++ 12 or newer."
  version=$("$compiler" -dumpfullversion 2>/dev/null || "$compiler" -dumpversion)
  case $("$compiler" --version | head -1) in
    *clang*) note "compiler: clang $version is not what kevolve is tested with (g++ 12 and 13 are)" ;;
    *) [ "${version%%.*}" -ge 12 ] || fail "$compiler is version $version; C++20 needs g++ 12 or newer." \
      "Install a newer one and set CXX to it, for example: CXX=g++-12 scripts/setup.sh" ;;
  esac
  cmake_version=$(cmake --version | awk 'NR == 1 { print $3 }')
  [ "$(printf '3.22\n%s\n' "$cmake_version" | sort -V | head -1)" = 3.22 ] ||
    fail "cmake is version $cmake_version; 3.22 or newer is needed."
  step "2/4 compiler: $compiler $version, cmake $cmake_version"
}

# --- wheels --------------------------------------------------------------------------------------------------

fetch_wheels() {  # fetch_wheels FOLDER REQUIREMENT...: for this machine's processor and any installed Python
  local folder=$1 python machine tag tags=()
  shift
  command -v unzip >/dev/null || fail "unzip is missing. Install it, or run without --no-packages."
  python=$(find_pip) || fail "no Python 3 with pip. Install python3-pip, or run without --no-packages."
  machine=$(uname -m)
  for tag in manylinux_2_28 manylinux_2_27 manylinux_2_25 manylinux_2_17 manylinux2014 manylinux_2_12 manylinux2010; do
    tags+=(--platform "${tag}_$machine")
  done
  mkdir -p "$folder/tmp"
  TMPDIR=$folder/tmp "$python" -m pip download --no-deps --no-cache-dir --no-input --disable-pip-version-check \
    --retries 5 --timeout 60 --only-binary=:all: --implementation cp --python-version 3.12 "${tags[@]}" \
    --dest "$folder" "$@" || fail "pip could not download $* for $machine; its messages above say why." \
      "Without a network: unpack a torch wheel on another machine and set KEVOLVE_TORCH_DIR to its folder 'torch'."
}

unpack() {  # unpack WHEEL FOLDER PATTERN...; a pattern may match nothing (unzip's code 11)
  local wheel=$1 folder=$2 messages status=0
  shift 2
  messages=$(unzip -q -o "$wheel" "$@" -d "$folder" 2>&1) || status=$?
  [ $status = 0 ] || [ $status = 11 ] || fail "cannot unpack $wheel (unzip ended with code $status; disk full?):" "$messages"
}

# Downloads and unpacked files stay in .deps/partial until they are complete, then move into place.
partial=$deps/partial
start_fetch() {
  mkdir -p "$deps"
  need_disk "$deps" "$1" "$2"
  rm -rf "$partial"
  mkdir -p "$partial"
  trap 'rm -rf "$partial"' EXIT
}

# --- LibTorch --------------------------------------------------------------------------------------------------

is_libtorch() {  # has include/, lib/ and g++'s C++11 ABI (PyPI's wheels have it since 2.7)
  [ -e "$1/lib/libtorch_cpu.so" ] && [ -d "$1/include/ATen" ] &&
    grep -qaF 'St7__cxx1112basic_string' "$1/lib/libc10.so"
}

python_torch() {  # prints the folder of a usable installed torch
  local folder version
  command -v python3 >/dev/null || return 1
  folder=$(python3 -c 'import importlib.util as u, os; s = u.find_spec("torch"); print(os.path.dirname(s.origin))' \
    2>/dev/null) || return 1
  version=$(sed -n "s/^__version__ = '\([0-9.]*\).*/\1/p" "$folder/version.py" 2>/dev/null) || return 1
  [ -n "$version" ] && [ "$(printf '2.4\n%s\n' "$version" | sort -V | head -1)" = 2.4 ] && is_libtorch "$folder" &&
    echo "$folder"
}

have_libtorch() {
  [ -n "${KEVOLVE_TORCH_DIR:-}" ] || is_libtorch "$deps/torch" || python_torch >/dev/null
}

unresolved() {  # prints, on one line, the libraries that libtorch_cpu.so in folder "$1" cannot find
  ldd "$1/lib/libtorch_cpu.so" 2>/dev/null | awk '/not found/ { printf "%s ", $1 }'
}

fetch_libtorch() {
  step "3/4 LibTorch: fetching torch $torch_version (a download of 0.5 GB; only its CPU part is kept)"
  start_fetch 2500 "fetching LibTorch"
  fetch_wheels "$partial/wheels" "torch==$torch_version"
  note "unpacking"
  local parts=('torch/include/*' torch/version.py torch/lib/libtorch_cpu.so torch/lib/libtorch.so
    torch/lib/libc10.so torch/lib/libtorch_global_deps.so 'torch/lib/libgomp*')
  if [ "$(uname -m)" = aarch64 ]; then  # this wheel contains a BLAS
    parts+=('torch/lib/libopenblas*' 'torch/lib/libgfortran*' 'torch/lib/libarm_compute*' 'torch.libs/*')
  fi
  unpack "$partial"/wheels/torch-*.whl "$partial" "${parts[@]}"
  is_libtorch "$partial/torch" || fail "the wheel of torch $torch_version lacks expected files."
  rm -rf "$deps/torch" "$deps/torch.libs"
  [ ! -d "$partial/torch.libs" ] || mv "$partial/torch.libs" "$deps/"
  mv "$partial/torch" "$deps/torch"
  rm -rf "$partial"
}

fetch_torch_cuda_libraries() {  # a CUDA wheel's libtorch_cpu.so looks for these in ../../nvidia/cu13/lib
  note "LibTorch needs libcudart and libcupti even without a GPU: fetching them (13 MB)"
  start_fetch 200 "fetching them"
  fetch_wheels "$partial/wheels" nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85
  unpack_nvidia
}

unpack_nvidia() {
  local wheel
  for wheel in "$partial"/wheels/*.whl; do
    unpack "$wheel" "$partial" 'nvidia/cu13/include/*' 'nvidia/cu13/lib/*.so*' -x '*.alt.so*'
  done
  mkdir -p "$deps/nvidia"
  cp -a --remove-destination "$partial/nvidia/." "$deps/nvidia/"
  rm -rf "$partial"
}

provide_libtorch() {
  local folder missing
  if [ -n "${KEVOLVE_TORCH_DIR:-}" ]; then
    folder=$KEVOLVE_TORCH_DIR
    is_libtorch "$folder" || fail "KEVOLVE_TORCH_DIR is '$folder', which is not a usable LibTorch: expected include/ATen," \
      "lib/libtorch_cpu.so and lib/libc10.so, built with the C++11 ABI (PyPI's torch 2.7 or newer)." \
      "Correct the variable, or unset it to have LibTorch fetched."
  else
    folder=$deps/torch
    if ! is_libtorch "$folder"; then
      if folder=$(python_torch); then
        mkdir -p "$deps"
        rm -rf "$deps/torch"
        ln -s "$folder" "$deps/torch"
      else
        folder=$deps/torch
        fetch_libtorch
      fi
    fi
  fi
  missing=$(unresolved "$folder")
  if [[ $missing == *libcudart.so.13* || $missing == *libcupti.so.13* ]] && [ "$folder" = "$deps/torch" ]; then
    fetch_torch_cuda_libraries
    missing=$(unresolved "$folder")
  fi
  [ -z "$missing" ] || fail "$folder/lib/libtorch_cpu.so lacks these libraries: $missing" \
    "That torch is incomplete. Reinstall it, or set KEVOLVE_TORCH_DIR to another."
  step "3/4 LibTorch: $folder"
}

# --- NVRTC -----------------------------------------------------------------------------------------------------

is_cuda_toolkit() {  # NVRTC and the headers that kernels include
  local library
  if [ -e "$1/include/cuda_fp16.h" ] && [ -e "$1/include/crt/host_defines.h" ]; then
    for library in "$1"/lib64/libnvrtc.so* "$1"/lib/libnvrtc.so*; do
      [ ! -e "$library" ] || return 0
    done
  fi
  return 1
}

cuda_toolkit() {  # prints the toolkit's folder
  local folder
  for folder in "${CUDA_HOME:-}" /usr/local/cuda "$deps/nvidia/cu13"; do
    if is_cuda_toolkit "$folder"; then
      echo "$folder"
      return 0
    fi
  done
  return 1
}

provide_nvrtc() {
  if ! cuda_toolkit >/dev/null; then
    step "4/4 NVRTC: fetching ${cuda_wheels[*]} (a download of 107 MB)"
    start_fetch 600 "fetching NVRTC"
    fetch_wheels "$partial/wheels" "${cuda_wheels[@]}"
    unpack_nvidia
    cuda_toolkit >/dev/null || fail "the wheels ${cuda_wheels[*]} lack expected files."
  fi
  step "4/4 NVRTC: $(cuda_toolkit)"
}

# --- the rest --------------------------------------------------------------------------------------------------

have_clang_format() {
  local program
  for program in clang-format-14 clang-format "$deps/clang-format/clang-format"; do
    "$program" --version 2>/dev/null | grep -q 'version 14\.' && return 0
  done
  return 1
}

provide_clang_format() {  # the same version everywhere, because versions format differently
  if have_clang_format; then return; fi
  step "clang-format 14: fetching it (1 MB)"
  start_fetch 50 "fetching it"
  fetch_wheels "$partial/wheels" clang-format==14.0.6
  unpack "$partial"/wheels/clang_format-*.whl "$partial" clang_format/data/bin/clang-format
  chmod +x "$partial/clang_format/data/bin/clang-format"
  mkdir -p "$deps/clang-format"
  mv "$partial/clang_format/data/bin/clang-format" "$deps/clang-format/clang-format"
  rm -rf "$partial"
}

must_download() {
  ! have_libtorch || ! cuda_toolkit >/dev/null || { [ $with_tests = yes ] && ! have_clang_format; }
}

check_sandbox() {  # candidates are compiled and run inside bubblewrap; without namespaces nothing can be judged
  if ! bwrap --unshare-all --die-with-parent --ro-bind / / --proc /proc --dev /dev true 2>/dev/null; then
    step "WARNING: bubblewrap may not create namespaces on this machine, so no candidate can be compiled or run."
    note "In a container: start it with --security-opt seccomp=unconfined --security-opt systempaths=unconfined"
    note "(or --privileged); docs/container.md says more. This is expected while an image is built."
    note "On Ubuntu 24.04 as an ordinary user: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    note "'kevolve doctor' says more. KEVOLVE_SANDBOX=off runs without it; use that only for kernels that you trust."
  fi
}

install_packages
check_compiler
provide_libtorch
provide_nvrtc
if [ $with_tests = yes ]; then provide_clang_format; fi
check_sandbox
[ -d build ] || need_disk . 1500 "the build"
step "done"
