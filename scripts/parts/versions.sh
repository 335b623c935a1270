# shellcheck shell=sh disable=SC2034
# What the set-up installs. Every step compares against these, so a change here reaches each machine at its next run.

# cargo-leptos needs Rust 1.96 to be installed.
rust_minimum_minor=96
rust_pinned=1.96.0

cargo_leptos_version=0.3.11

# wasm-bindgen and the crate of the same name speak a private format: the two must be equal.
wasm_bindgen_version=$(awk '$0 == "name = \"wasm-bindgen\"" { getline; gsub(/"/, "", $3); print $3; exit }' "$root/Cargo.lock")

# npm's package. Binaryen before 117 can't read what today's Rust emits.
binaryen_version=132.0.0

# npm's package, which only scripts/page-speed wants; later ones need a Node.js that Debian doesn't have.
lighthouse_version=12.8.2

# The LLVM that Debian's rustc-web is built with; its linker comes from the same release.
debian_llvm=22
