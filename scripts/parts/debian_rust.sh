# shellcheck shell=sh
# The closed network: no rustup servers, package registries only. Debian's rustc-web compiles both halves; its wasm32
# standard library is built once from its own source package.

debian_rust() {
    command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
        fail "rustup's servers can't be reached, and this is no Debian: install Rust $rust_pinned with the target wasm32-unknown-unknown, make it rustup's active toolchain, and run the same command again"
    say "Rust: rustup's servers can't be reached; setting up Debian's Rust $rust_pinned"
    left_to_root=
    install_debian_packages
    link_debian_linker
    install_wasm_std
    [ -z "$left_to_root" ] || fail "run the lines above, then the same command again"

    rustup toolchain link cowork /usr >&2 || fail "rustup can't link the toolchain cowork to /usr"
    is_ready cowork || fail "Debian's Rust is installed, but doesn't compile for wasm32-unknown-unknown: see \`rustup run cowork rustc --version\`"
    toolchain=cowork
    announce_rust
}

# Root runs the command; anybody else is shown it and nothing is half-installed.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@" >&2 || fail "failed: $*"
        return
    fi
    say "    sudo $*"
    left_to_root=yes
}

# Sets $missing to those of the named Debian packages that are not installed.
list_missing_packages() {
    missing=
    for package; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q ' ok installed' || missing="$missing $package"
    done
}

install_packages() {
    list_missing_packages "$@"
    [ -n "$missing" ] || return 0
    say "Debian packages to install:$missing"
    as_root apt-get update -q
    # shellcheck disable=SC2086 # a list of package names
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}

install_debian_packages() {
    install_packages rustc-web cargo-web rust-web-src rust-web-clippy rustfmt-web "lld-$debian_llvm"
}

# rustc looks for the wasm linker under this name, and Debian has it under another.
link_debian_linker() {
    linker=/usr/lib/llvm-$debian_llvm/bin/lld
    [ "$(readlink /usr/local/bin/rust-lld)" = "$linker" ] || as_root ln -sfn "$linker" /usr/local/bin/rust-lld
}

install_wasm_std() {
    if compiles_wasm rlib /usr/bin/rustc; then
        return
    fi
    say "the standard library for wasm32-unknown-unknown is built from Debian's sources, once (a minute)"
    built=$cache/wasm-std
    if [ "$(id -u)" -eq 0 ]; then
        "$scripts/wasm-std" build "$built" || fail "the wasm32 standard library doesn't build"
    else
        say "    $scripts/wasm-std build $built"
    fi
    as_root "$scripts/wasm-std" install "$built" /usr/lib/rustlib
}
