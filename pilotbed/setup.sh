#!/bin/sh
# Sets everything up on this machine; a second run takes a second. Called by the Makefile:
#   sh pilotbed/setup.sh run     what the platform needs to run
#   sh pilotbed/setup.sh dev     the Python side of developing
#   sh pilotbed/setup.sh test    that, and what the tests need of the system
set -eu
cd "$(dirname "$0")/.."
kind=${1:-run}
lock=requirements/run.txt
if [ "$kind" != run ]; then lock=requirements/dev.txt; fi

say() { printf '%s\n' "$*" >&2; }
fail() { say "setup: $*"; exit 2; }
have() { command -v "$1" >/dev/null 2>&1; }

# --- the system's packages ---------------------------------------------------------------------------------------
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}
may_apt() {
    have apt-get && { [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }
}
apt_install() {  # installs the packages named, or fails; what it prints is shown only if it fails
    say "Installing $* with apt."
    log=$(mktemp)
    if { as_root env DEBIAN_FRONTEND=noninteractive apt-get update &&
         as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
        rm -f "$log"
    else
        tail -5 "$log" >&2
        rm -f "$log"
        return 1
    fi
}
how_to_get() {  # Debian package, Homebrew package (may be a dash for none)
    if have apt-get; then echo "sudo apt-get install $1"
    elif [ "$(uname)" = Darwin ] && [ "$2" != - ]; then echo "brew install $2"
    else echo "install $1 with your system's package manager"
    fi
}

# --- Python ------------------------------------------------------------------------------------------------------
new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}
find_python() {
    for candidate in python3 python3.13 python3.12 python3.11 python3.14; do
        if have "$candidate" && new_enough "$candidate"; then echo "$candidate"; return; fi
    done
    return 1
}
make_venv() {
    python=$(find_python) || fail "Python 3.11 or newer is needed, found $(python3 --version 2>/dev/null || echo none): $(how_to_get python3.11 python@3.13)."
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        release=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        if ! { may_apt && apt_install "$release"; }; then
            fail "$python has no venv module: $(how_to_get "$release" -)."
        fi
    fi
    "$python" -m venv --clear .venv
}
usable_venv() {
    [ -x .venv/bin/python ] && new_enough .venv/bin/python && .venv/bin/python -c 'import pip' >/dev/null 2>&1
}
stamp_of() { { cksum <"$1"; .venv/bin/python -V; } 2>&1 | tr '\n' ' '; }
stamped() { [ "$(cat ".venv/$1.stamp" 2>/dev/null)" = "$(stamp_of "requirements/$1.txt")" ]; }

usable_venv || { say "Making .venv."; make_venv; }
name=$(basename "$lock" .txt)
if ! stamped "$name"; then
    say "Installing $(grep -c '^[a-zA-Z0-9].*==' "$lock") Python packages from $lock: a minute or two the first time."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock" ||
        fail "the Python packages of $lock could not be installed (see above): is there a network? Then run it again."
    stamp_of "$lock" >".venv/$name.stamp"
    # The developers' lock holds all of the other.
    if [ "$name" = dev ]; then stamp_of requirements/run.txt >.venv/run.stamp; fi
fi

# The command, and our packages found from anywhere: two small files in place of a build.
packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
printf '%s\n' "$PWD" >"$packages/pilotbed.pth"
printf '#!/bin/sh\nexec "%s/.venv/bin/python" -P -m pilotbed "$@"\n' "$PWD" >.venv/bin/pilotbed
chmod +x .venv/bin/pilotbed

# --- what the system must provide --------------------------------------------------------------------------------
have_mosquitto() {
    have mosquitto || [ -x /usr/sbin/mosquitto ] || [ -x /usr/local/sbin/mosquitto ] ||
        [ -x /opt/homebrew/sbin/mosquitto ] || [ -n "${PILOTBED_MOSQUITTO:-}" ] || [ -n "${PILOTBED_MQTT_URL:-}" ]
}
have_chromium() {
    have chromium || have chromium-browser || have google-chrome ||
        [ -d "/Applications/Chromium.app" ] || [ -d "/Applications/Google Chrome.app" ]
}
have_korean_font() {
    [ "$(uname)" = Darwin ] || [ -d /usr/share/fonts/truetype/nanum ] || { have fc-list && fc-list :lang=ko 2>/dev/null | grep -q .; }
}
missing=
want() {  # is it there?, Debian package, Homebrew package, what it is for
    "$1" && return
    missing="$missing $2"
    say_later="${say_later:-}$4 is missing: $(how_to_get "$2" "$3").
"
}
if [ "$kind" != dev ]; then
    want have_mosquitto mosquitto mosquitto "The MQTT broker Mosquitto"
fi
if [ "$kind" = test ]; then
    want have_chromium chromium '--cask chromium' "Chromium, for the browser tests,"
    want have_korean_font fonts-nanum - "A Korean font for the browser's pictures"
fi
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086  # one word a package
    if ! { may_apt && apt_install $missing; }; then
        printf '%s' "$say_later" >&2
        # Tests skip what is missing and say so; without a broker there is no demo.
        [ "$kind" = test ] || exit 2
    fi
fi
