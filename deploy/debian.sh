#!/bin/sh
# Which Debian packages do the tests need, and how are they installed? Does nothing if all are installed.
#
# They are Chromium, CJK fonts, promtool, amtool and PostgreSQL. `make run` needs none of them.
# This script needs root or `sudo -n`. It asks nothing, and starts no daemon.
set -eu

missing=""
need() { # need PACKAGE FILE...: the package is missing if none of the files exists
    package=$1
    shift
    for file in "$@"; do [ -e "$file" ] && return; done
    missing="$missing $package"
}

bin() { command -v "$1" || echo /nonexistent; }

need chromium "$(bin chromium)"
need fonts-noto-cjk /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc
need prometheus "$(bin promtool)"
need prometheus-alertmanager "$(bin amtool)"
need postgresql-15 /usr/lib/postgresql/*/bin/postgres
[ -n "$missing" ] || exit 0

line="apt-get install --no-install-recommends$missing"
cannot() {
    echo "Debian packages are missing:$missing. $1" >&2
    echo "缺少 Debian 软件包。 Install them, then try again:  sudo $line" >&2
    exit 1
}

command -v apt-get >/dev/null || cannot "This is not Debian: install the like of them by your system's means."
if [ "$(id -u)" = 0 ]; then
    root=""
elif sudo -n true 2>/dev/null; then
    root="sudo -n"
else
    cannot "Installing them needs root, and sudo asks for a password."
fi

echo "Installing from Debian:$missing" >&2
# Exit code 101 forbids a package to start its daemon. The policy is removed after this installation, and an existing policy is kept.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap '$root rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' | $root tee $policy >/dev/null
    $root chmod +x $policy
fi
# The tests make clusters of their own, so the package must not make one.
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    $root mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" | $root tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
install() {
    # shellcheck disable=SC2086
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=300 $missing </dev/null
}
# shellcheck disable=SC2015
$root apt-get update -q -o DPkg::Lock::Timeout=300 </dev/null && install || cannot "apt-get failed; its last lines above say why."
# policy-rc.d keeps the daemons from starting now; `disable` keeps them from starting at the next boot.
case $missing in *prometheus*) $root systemctl disable prometheus prometheus-alertmanager >/dev/null 2>&1 || true ;; esac
