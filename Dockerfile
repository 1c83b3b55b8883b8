# An image with kevolve's worker, service and command line. docs/container.md says how to build and run it.
#
#   docker build -t kevolve .                             judges on GPUs and on the CPU
#   docker build -t kevolve --build-arg LIBTORCH=cpu .    smaller; on a GPU it only compiles
#
# Both base images must be the same distribution: Ubuntu 24.04 or Debian 12. The build fetches CUDA's compiler (NVRTC)
# and includes it, unless the first base image has a CUDA toolkit in /usr/local/cuda. Then the second must have one too.
ARG BUILD_IMAGE=nvidia/cuda:13.0.2-base-ubuntu24.04
ARG RUNTIME_IMAGE=nvidia/cuda:13.0.2-base-ubuntu24.04

FROM ${BUILD_IMAGE} AS build
ARG LIBTORCH=cuda
ARG TORCH=torch==2.11.0
WORKDIR /source

# LibTorch for CUDA comes with Python's torch. setup.sh alone fetches only the CPU part.
RUN mkdir -p /opt/torch && if [ "$LIBTORCH" = cuda ]; then \
      apt-get update -q && apt-get install -q -y --no-install-recommends python3-pip && \
      python3 -m pip install --no-cache-dir --target /opt/torch "$TORCH"; \
    fi
COPY scripts/setup.sh scripts/
RUN KEVOLVE_TORCH_DIR=$(ls -d /opt/torch/torch 2>/dev/null) scripts/setup.sh
COPY . .
RUN KEVOLVE_TORCH_DIR=$(ls -d /opt/torch/torch 2>/dev/null) scripts/build.sh
# The runtime stage copies /image: the installed tree, LibTorch's libraries, the names of packages.
RUN mkdir -p /image/opt/torch && DESTDIR=/image cmake --install build --prefix /usr/local --strip \
 && install -m 755 scripts/image_entry.sh /image/usr/local/bin/kevolve-image \
 && scripts/runtime_packages.sh /image/usr/local/bin/kevolve /image/usr/local/bin/kevolved \
      /image/usr/local/bin/kevolve-* > /image/packages \
 && if [ "$LIBTORCH" = cuda ]; then cd /opt/torch && cp -a --parents torch/lib nvidia/*/lib /image/opt/torch; fi

FROM ${RUNTIME_IMAGE}
COPY --from=build /image/packages /tmp/packages
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $(cat /tmp/packages) \
 && rm -rf /var/lib/apt/lists/* /tmp/packages \
 && useradd --system --create-home --home-dir /var/lib/kevolve kevolve \
 && install -d -o kevolve -g kevolve /var/cache/kevolve
COPY --from=build /image/usr/local/ /usr/local/
COPY --from=build /image/opt/ /opt/
ENV XDG_CACHE_HOME=/var/cache KEVOLVE_ARCHIVE=/var/lib/kevolve/archive.db
# The candidates' sandbox needs user namespaces, not root.
USER kevolve
WORKDIR /var/lib/kevolve
ENTRYPOINT ["/usr/local/bin/kevolve-image"]
