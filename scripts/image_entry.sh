#!/bin/sh
# Entry point of the container image. The first word may name a program, by whatever path: kevolved puts the path of
# its own kevolve-worker behind a launcher. Anything else is for kevolve: `docker run kevolve doctor`.
case ${1##*/} in
  kevolve | kevolved | kevolve-worker)
    program=${1##*/}
    shift ;;
  *) program=kevolve ;;
esac
exec "$(dirname "$0")/$program" "$@"
