# shellcheck shell=sh
# The steps of ./test: each is announced, run and remembered, whatever became of the one before. Numbers of tests are
# read from what cargo ("test result: ok. 12 passed; 0 failed; …") and Playwright ("  12 passed (3.4s)") print.

notes=$(mktemp -d)
trap 'rm -rf "$notes"' EXIT
all_passed=0
all_failed=0
broken=0

# step NAME COMMAND…
step() {
    name=$1
    shift
    printf '\n== %s\n' "$name"
    started=$(date +%s)
    # The exit code of a pipe is that of tee, so a success leaves a file.
    rm -f "$notes/succeeded"
    { ("$@") 2>&1 && : >"$notes/succeeded"; } | tee "$notes/output"
    outcome=ok
    if [ ! -e "$notes/succeeded" ]; then
        outcome=FAILED
        broken=$((broken + 1))
    fi
    note_step $(($(date +%s) - started))
}

note_step() {
    passed=$(count passed)
    failed=$(count failed)
    all_passed=$((all_passed + passed))
    all_failed=$((all_failed + failed))
    tests=
    [ $((passed + failed)) -eq 0 ] || tests="$passed passed, $failed failed"
    printf '%-16s %-7s %4ss  %s\n' "$name" "$outcome" "$1" "$tests" >>"$notes/summary"
}

# count passed|failed
count() {
    awk -v word="$1" '
        /^test result:/ { for (i = 2; i <= NF; i++) if ($i == word ";") sum += $(i - 1) }
        /^ +[0-9]+ / && $2 == word { sum += $1 }
        END { print sum + 0 }' "$notes/output"
}

# The last line has the form of cargo's own, over all steps.
sum_up() {
    printf '\n== summary\n'
    cat "$notes/summary"
    verdict=ok
    [ "$broken" -eq 0 ] || verdict=FAILED
    printf 'test result: %s. %s passed; %s failed\n' "$verdict" "$all_passed" "$all_failed"
    [ "$broken" -eq 0 ]
}
