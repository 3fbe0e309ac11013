#!/bin/sh
# Prints the path of a Chromium for the browser tests: ROWCAST_CHROMIUM, or the first that runs.
for browser in "${ROWCAST_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" /Applications/Chromium.app/Contents/MacOS/Chromium; do
    path=$(command -v "$browser" 2>/dev/null) || continue
    # Ubuntu's chromium-browser is a script that may only say that it is not installed.
    if "$path" --version >/dev/null 2>&1; then
        printf '%s\n' "$path"
        exit 0
    fi
done
exit 1
