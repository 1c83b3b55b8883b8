#!/bin/sh
# Entry point of the container image. If the first word names a program, with any path, that program runs: kevolved
# appends the path of its own kevolve-worker to a launcher. All other words go to kevolve: `docker run kevolve doctor`.
case ${1##*/} in
  kevolve | kevolved | kevolve-worker)
    program=${1##*/}
    shift ;;
  *) program=kevolve ;;
esac
exec "$(dirname "$0")/$program" "$@"
