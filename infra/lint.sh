#!/bin/sh
# Checks every Bicep file: with the compiler where there is one, else with the linter that LIGHTKEEPER_BICEP_LINT
# names: a Python program that takes paths and fails on findings, or the folder of its bicep_lint.py. Says which it
# was. Arguments: the Python to use.
set -eu
cd "$(dirname "$0")/.."

# $1 comes before the file: nothing for the stand-alone compiler, --file for the one inside az.
compile() {
    option=$1
    shift
    find infra -name '*.bicep' | sort | while read -r file; do
        "$@" build $option "$file" --stdout >/dev/null
        "$@" lint $option "$file"
    done
    find infra -name '*.bicepparam' | sort | while read -r file; do
        "$@" build-params $option "$file" --stdout >/dev/null
    done
}

if command -v bicep >/dev/null; then
    echo "Bicep: compiled with $(bicep --version)"
    compile '' bicep
elif command -v az >/dev/null && az bicep version >/dev/null 2>&1; then
    echo "Bicep: compiled with $(az bicep version)"
    compile --file az bicep
elif [ -n "${LIGHTKEEPER_BICEP_LINT:-}" ]; then
    linter=$LIGHTKEEPER_BICEP_LINT
    if [ -d "$linter" ]; then
        linter=$linter/bicep_lint.py
    fi
    echo "Bicep: linted with $linter, not compiled"
    "${1:-python3}" "$linter" infra
else
    echo "Bicep: not checked, because there is neither a compiler nor LIGHTKEEPER_BICEP_LINT"
fi
