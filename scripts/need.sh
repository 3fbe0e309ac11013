#!/bin/sh
# Makes sure that the tools named by the arguments are there, and installs what is missing as far as it may:
# system packages only as root or with a sudo that asks for no password; otherwise it says what to install.
#
# Usage: scripts/need.sh TOOL…, of: cc clippy rustfmt cargo-deny lambda-adapter node chromium openssl pgbouncer python nchan
set -eu

# The version that the checks are known to pass with.
CARGO_DENY=0.20.2

# The Lambda Web Adapter that the tests run behind.
LAMBDA_ADAPTER=1.0.0-rc1

# What Vite needs.
NODE=20.19

fail() {
    printf 'rowcast: %s\n' "$*" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# apt_install WHAT-FOR PACKAGE…
apt_install() {
    what=$1
    shift
    has apt-get || fail "$what is missing: install it with your system's package manager"
    if [ "$(id -u)" -eq 0 ]; then
        root=
    elif has sudo && sudo -n true 2>/dev/null; then
        root="sudo -n"
    else
        fail "$what is missing: sudo apt-get install $*"
    fi
    printf 'rowcast: installing %s\n' "$*" >&2
    $root apt-get update -qq >&2
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >&2
}

need_cc() {
    has cc || apt_install "a C compiler, which Rust links with," gcc libc6-dev
}

# need_component COMMAND COMPONENT
need_component() {
    cargo "$1" --version >/dev/null 2>&1 || rustup component add "$2" ||
        fail "cargo $1 is missing: install the component $2 of your Rust toolchain"
}

need_clippy() {
    need_component clippy clippy
}

need_rustfmt() {
    need_component fmt rustfmt
}

need_cargo_deny() {
    cargo deny --version >/dev/null 2>&1 && return
    # Unoptimised: it runs for seconds, and would compile for minutes.
    CARGO_PROFILE_DEV_DEBUG=0 cargo install --locked --debug "cargo-deny@$CARGO_DENY"
}

need_lambda_adapter() {
    has lambda-adapter && return
    CARGO_PROFILE_DEV_DEBUG=0 cargo install --locked --debug "lambda_web_adapter@$LAMBDA_ADAPTER"
}

need_node() {
    if ! has node || ! has npm; then
        fail "Node.js is missing: install $NODE or newer, with npm"
    fi
    node -e '
        const [needed, found] = [process.argv[1], process.versions.node].map((version) => version.split(".").map(Number));
        process.exit(found[0] > needed[0] || (found[0] === needed[0] && found[1] >= needed[1]) ? 0 : 1);
    ' "$NODE" || fail "Node.js $(node --version) is too old: install $NODE or newer"
}

need_chromium() {
    "$(dirname "$0")/chromium.sh" >/dev/null && return
    apt_install "a Chromium (ROWCAST_CHROMIUM may name one), which the browser tests need," chromium
    "$(dirname "$0")/chromium.sh" >/dev/null || fail "the package chromium holds no browser: set ROWCAST_CHROMIUM to one"
}

need_openssl() {
    has openssl || apt_install "openssl, which makes certificates for the browser tests," openssl
}

need_pgbouncer() {
    # Where it is, only root finds it by name.
    PATH=$PATH:/usr/sbin:/usr/local/sbin has pgbouncer && return
    apt_install "PgBouncer, which the tests put in front of Postgres," pgbouncer
}

need_nchan() {
    # Where it is, only root finds nginx by name.
    test -e /usr/lib/nginx/modules/ngx_nchan_module.so && PATH=$PATH:/usr/sbin:/usr/local/sbin has nginx && return
    apt_install "Nchan, which rowcast is measured beside," nginx libnginx-mod-nchan
}

need_python() {
    # Debian's own Python makes no environments without the package for it.
    python3 -c 'import ensurepip, venv' 2>/dev/null ||
        apt_install "Python with venv, which MLflow is installed into," python3 python3-venv
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "$(python3 --version) is too old: install 3.11 or newer"
}

for tool; do
    case $tool in
        cc) need_cc ;;
        clippy) need_clippy ;;
        rustfmt) need_rustfmt ;;
        cargo-deny) need_cargo_deny ;;
        lambda-adapter) need_lambda_adapter ;;
        node) need_node ;;
        chromium) need_chromium ;;
        openssl) need_openssl ;;
        pgbouncer) need_pgbouncer ;;
        python) need_python ;;
        nchan) need_nchan ;;
        *) fail "nobody knows how to get $tool" ;;
    esac
done
