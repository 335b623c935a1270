# shellcheck shell=sh
# The steps of ./test: each is announced, run and remembered, whatever became of the one before. Numbers of tests are
# read from what cargo ("test result: ok. 12 passed; 0 failed; …") and Playwright ("  12 passed (3.4s)") print.

# A line a step, "NAME|ok or FAILED|seconds|passed|failed", since steps also run in a process of their own.
notes=$(mktemp -d)
trap 'rm -rf "$notes"' EXIT

# step NAME COMMAND…
step() {
    name=$1
    shift
    own=$notes/$(printf '%s' "$name" | tr -c '[:alnum:]' _)
    printf '\n== %s\n' "$name"
    started=$(date +%s)
    # The exit code of a pipe is that of tee, so a success leaves a file.
    { ("$@") 2>&1 && : >"$own.succeeded"; } | tee "$own.output"
    outcome=ok
    [ -e "$own.succeeded" ] || outcome=FAILED
    printf '%s|%s|%s|%s|%s\n' "$name" "$outcome" $(($(date +%s) - started)) "$(count passed)" "$(count failed)" \
        >>"$notes/steps"
}

# count passed|failed
count() {
    awk -v word="$1" '
        /^test result:/ { for (i = 2; i <= NF; i++) if ($i == word ";") sum += $(i - 1) }
        /^ +[0-9]+ / && $2 == word { sum += $1 }
        END { print sum + 0 }' "$own.output"
}

# beside FUNCTION: runs steps at the same time as those that follow.
beside() {
    "$@" >"$notes/beside" 2>&1 &
    beside=$!
}

# Waits for them and prints what they said.
join() {
    wait "$beside" || :
    cat "$notes/beside"
}

# The last line has the form of cargo's own, over all steps.
sum_up() {
    printf '\n== summary\n'
    awk -F '|' '
        { tests = $4 + $5 > 0 ? $4 " passed, " $5 " failed" : ""; printf "%-16s %-7s %4ss  %s\n", $1, $2, $3, tests
          passed += $4; failed += $5; if ($2 != "ok") verdict = "FAILED" }
        END { if (!verdict) verdict = "ok"
              printf "test result: %s. %d passed; %d failed\n", verdict, passed, failed; exit verdict != "ok" }' "$notes/steps"
}
