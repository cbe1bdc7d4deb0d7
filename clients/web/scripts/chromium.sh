#!/bin/sh
# Prints the path of the Chromium that the browser tests use: $CHROMIUM, an installed one, or Debian's, which is installed.
set -eu

installed() {
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" && return
    done
    return 1
}

if [ -n "${CHROMIUM:-}" ]; then
    echo "$CHROMIUM"
elif ! installed; then
    if ! command -v apt-get >&2; then
        echo 'chromium.sh: there is no Chromium; name one with CHROMIUM=/path' >&2
        exit 1
    fi
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get -o Acquire::Retries=5 update >&2
    DEBIAN_FRONTEND=noninteractive $sudo apt-get -o Acquire::Retries=5 install --yes --no-install-recommends chromium >&2
    installed
fi
