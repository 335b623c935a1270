# shellcheck shell=sh
# How the scripts speak: one line per step, on stderr, so that stdout stays free for results.

say() {
    printf 'cowork: %s\n' "$*" >&2
}

fail() {
    say "$@"
    exit 1
}

# Prints its argument so that a shell reads it back as one word.
quoted() {
    printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}
