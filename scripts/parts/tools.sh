# shellcheck shell=sh
# The programs that make the page: cargo-leptos, wasm-bindgen and wasm-opt, each at the version the project names.

install_tools() {
    export RUSTUP_TOOLCHAIN="$toolchain"
    PATH=$cargo_bin:$wasm_opt_bin:$PATH
    install_crate cargo-leptos cargo-leptos "$cargo_leptos_version" --features no_downloads
    install_crate wasm-bindgen wasm-bindgen-cli "$wasm_bindgen_version"
    install_wasm_opt
}

# install_crate PROGRAM CRATE VERSION [FLAGS FOR CARGO INSTALL]
install_crate() {
    program=$1 crate=$2 version=$3
    shift 3
    if is_installed || fetch_prebuilt; then
        return
    fi
    compile_crate "$@"
    is_installed || fail "$program: installed, but \`$program --version\` doesn't say $version"
}

is_installed() {
    [ "$("$program" --version 2>/dev/null | awk 'NR == 1 { print $2 }')" = "$version" ]
}

fetch_prebuilt() {
    command -v cargo-binstall >/dev/null || return 1
    say "$program $version: fetching it ready-made (cargo binstall)"
    cargo binstall --no-confirm --force --disable-strategies compile "$crate@$version" >&2 && is_installed
}

compile_crate() {
    say "$program $version: compiling it, once per machine (cargo-leptos takes 10 to 25 minutes, wasm-bindgen 2 to 5)"
    # Its lock file can name versions that a registry mirror doesn't have (yet); the crate itself is the pinned one.
    cargo_install --locked "$@" || {
        say "$program $version: not with its own lock file; trying today's versions of what it depends on"
        cargo_install "$@"
    } || fail "$program $version doesn't install; cargo's message stands above"
    rm -rf "$cache/build"
}

# From the cache folder, so that this project's cargo settings don't apply. What is compiled survives an interruption.
cargo_install() (
    mkdir -p "$cache"
    cd "$cache" || exit
    unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET
    export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1
    cargo install "$crate@$version" --force --root "${cargo_bin%/bin}" --target-dir "$cache/build" "$@" >&2
)

install_wasm_opt() {
    if "$wasm_opt_bin/wasm-opt" --version >/dev/null 2>&1; then
        return
    fi
    say "wasm-opt: installing npm's binaryen $binaryen_version into $binaryen"
    rm -rf "$binaryen" "$binaryen.new"
    mkdir -p "$binaryen.new"
    npm install --prefix "$binaryen.new" --no-save --no-audit --no-fund --no-update-notifier --loglevel=error "binaryen@$binaryen_version" >&2 ||
        fail "npm can't install binaryen $binaryen_version"
    mv "$binaryen.new" "$binaryen"
}
