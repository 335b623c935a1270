# shellcheck shell=sh
# What a machine brings itself. All of it is checked before anything is installed.

check_needs() {
    lacking=
    need git "Git: install the package git"
    need cc "a C compiler (SQLite is compiled from source): install build-essential on Debian, Xcode's command line tools on macOS"
    need rustup "Rust by rustup: https://rustup.rs"
    need npm "Node.js 20.19 or newer with npm (wasm-opt and the browser tests): https://nodejs.org"
    if command -v node >/dev/null && ! node_is_recent; then
        lack "Node.js 20.19 or newer, here is $(node --version): https://nodejs.org"
    fi
    [ -z "$lacking" ] || fail "install what is missing, then run the same command again"
}

need() {
    command -v "$1" >/dev/null || lack "$2"
}

lack() {
    say "missing: $1"
    lacking=yes
}

node_is_recent() {
    node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)'
}
