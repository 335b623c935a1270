# shellcheck shell=sh
# What the browser tests need: their npm packages and a Chromium, named in $chromium unless it is Playwright's own.

install_browser_tests() {
    install_node_modules
    find_chromium || install_chromium
}

# npm ci begins by removing node_modules, so the copy of the lock file is there only after a whole installation.
install_node_modules() {
    installed=$root/end2end/node_modules/.installed-lock.json
    if cmp -s "$root/end2end/package-lock.json" "$installed"; then
        return
    fi
    say "browser tests: installing their npm packages"
    (cd "$root/end2end" && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error >&2) || fail "npm ci fails in end2end/"
    cp "$root/end2end/package-lock.json" "$installed"
}

find_chromium() {
    chromium=${COWORK_CHROMIUM-}
    if [ -n "$chromium" ]; then
        [ -x "$chromium" ] || fail "COWORK_CHROMIUM names $chromium, which is no program"
        return
    fi
    for name in chromium chromium-browser google-chrome google-chrome-stable \
        "/Applications/Chromium.app/Contents/MacOS/Chromium" "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
        if chromium=$(command -v "$name"); then
            return
        fi
    done
    return 1
}

install_chromium() {
    # Ubuntu's package of this name is an empty hull around snap.
    if grep -qx 'ID=debian' /etc/os-release 2>/dev/null && [ "$(id -u)" -eq 0 ]; then
        install_packages chromium
        find_chromium || fail "Debian's chromium is installed, but \`chromium\` is not on the PATH"
        return
    fi
    say "browser tests: no Chromium or Chrome here, downloading Playwright's"
    (cd "$root/end2end" && node_modules/.bin/playwright install chromium >&2) ||
        fail "no browser for the tests: install chromium (Debian: sudo apt-get install chromium) or name one in COWORK_CHROMIUM"
}
