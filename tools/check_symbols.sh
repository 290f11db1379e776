#!/bin/sh
# Fails when a C target exports a symbol without its prefix: ck_ for CKernels, ci_ for CImageCodecs.
# Looks at the objects of the last `swift build -c release` (or of the build folder given as first argument).
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$root/.build/release}
status=0

check() { # target, prefix
    if [ ! -d "$build/$1.build" ]; then
        echo "check_symbols: no objects of $1 in $build; run 'swift build -c release' first" >&2
        status=1
        return
    fi
    wrong=$(find "$build/$1.build" -name '*.o' -exec nm -A --defined-only --extern-only {} + | awk -v prefix="$2" '
        { name = $NF; sub(/^.*\//, "", $1); if (index(name, prefix) != 1) print "  " name " (" $1 ")" }')
    if [ -n "$wrong" ]; then
        echo "check_symbols: $1 exports symbols without the prefix $2:" >&2
        echo "$wrong" >&2
        status=1
    fi
}

check CKernels ck_
check CImageCodecs ci_
exit $status
