#!/bin/sh
# Prints the path of valgrind: $VALGRIND, an installed one, or Debian's, which is installed.
set -eu

if [ -n "${VALGRIND:-}" ]; then
    echo "$VALGRIND"
elif ! command -v valgrind; then
    if ! command -v apt-get >&2; then
        echo 'valgrind.sh: there is no valgrind; name one with VALGRIND=/path' >&2
        exit 1
    fi
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get -o Acquire::Retries=5 update >&2
    DEBIAN_FRONTEND=noninteractive $sudo apt-get -o Acquire::Retries=5 install --yes --no-install-recommends valgrind >&2
    command -v valgrind
fi
