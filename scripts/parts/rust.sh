# shellcheck shell=sh
# Finds or installs one Rust that compiles both halves, and names it in $toolchain.
# Two worlds: rustup's servers hand out the wasm32 standard library, or, where only package registries can be reached,
# Debian's Rust does (debian_rust.sh).

# Long enough for 250 MB over a slow line, short enough that a network which drops packets doesn't look like a hang.
rustup_limit_seconds=600

choose_rust() {
    active=$(rustup show active-toolchain 2>/dev/null | awk 'NR == 1 { print $1 }') || active=
    for candidate in "$active" "$rust_pinned" cowork; do
        if is_ready "$candidate"; then
            toolchain=$candidate
            announce_rust
            return
        fi
    done
    usual_rust || debian_rust
}

announce_rust() {
    case $toolchain in
    cowork) say "Rust: closed network, using Debian's Rust $(rust_version cowork) (toolchain cowork)" ;;
    *) say "Rust: usual machine, using rustup's Rust $(rust_version "$toolchain") (toolchain $toolchain)" ;;
    esac
}

# The whole question is asked of the compiler: a standard library of another release is there, and no use.
is_ready() {
    is_recent "$1" && rustup run "$1" cargo clippy --version >/dev/null 2>&1 &&
        rustup run "$1" cargo fmt --version >/dev/null 2>&1 && compiles_wasm cdylib rustup run "$1" rustc
}

is_recent() {
    [ -n "$1" ] || return 1
    minor=$(rust_version "$1" | cut -d. -f2)
    [ "${minor:-0}" -ge "$rust_minimum_minor" ]
}

rust_version() {
    rustup run "$1" rustc --version 2>/dev/null | awk '{ print $2 }'
}

# compiles_wasm CRATE_TYPE COMPILER…: an rlib needs the standard library, a cdylib the linker too.
compiles_wasm() {
    crate_type=$1
    shift
    probe=$(mktemp -d)
    echo 'pub fn probe() -> String { String::new() }' >"$probe/probe.rs"
    wasm=no
    "$@" --crate-type "$crate_type" --target wasm32-unknown-unknown -o "$probe/probe.out" "$probe/probe.rs" \
        >/dev/null 2>&1 && wasm=yes
    rm -rf "$probe"
    [ "$wasm" = yes ]
}

usual_rust() {
    case $active in
    stable* | beta* | nightly* | [0-9]*)
        if is_recent "$active"; then
            say "Rust: asking rustup's servers for what $active lacks to compile for the browser"
            complete_active && accept "$active"
            return
        fi
        ;;
    esac
    say "Rust: 1.$rust_minimum_minor or newer is needed, asking rustup's servers for $rust_pinned"
    install_pinned && accept "$rust_pinned"
}

complete_active() {
    limited rustup target add --toolchain "$active" wasm32-unknown-unknown &&
        limited rustup component add --toolchain "$active" clippy rustfmt
}

install_pinned() {
    limited rustup toolchain install "$rust_pinned" --no-self-update --profile minimal \
        --component clippy --component rustfmt --target wasm32-unknown-unknown
}

accept() {
    is_ready "$1" || fail "Rust: rustup installed $1, but it doesn't compile for wasm32-unknown-unknown; see \`rustup show\`"
    toolchain=$1
    say "Rust: rustup servers reachable"
    announce_rust
}

# macOS has no timeout(1); there rustup's own network limits have to do.
limited() {
    if command -v timeout >/dev/null; then
        set -- timeout "$rustup_limit_seconds" "$@"
    fi
    RUST_BACKTRACE=0 "$@" >&2
}
