#!/bin/sh
# Prints the path of a Python 3.13+ that really runs, or fails with a clear message.
# A python3.13 on the PATH may be a version manager's shim that exists and fails, so each is tried.
for candidate in "${PYTHON:-}" python3.13 python3.14 python3 "$HOME"/.pyenv/versions/3.1[3-9]*/bin/python; do
    [ -n "$candidate" ] || continue
    found=$("$candidate" -c 'import sys, venv, ensurepip
assert sys.version_info >= (3, 13)
print(sys.executable)' 2>/dev/null) && { echo "$found"; exit 0; }
done
if command -v uv >/dev/null 2>&1; then
    found=$(uv python find '>=3.13' 2>/dev/null) || { uv python install 3.13 >&2 && found=$(uv python find '>=3.13'); }
    [ -n "$found" ] && { echo "$found"; exit 0; }
fi
echo "Lightkeeper needs Python 3.13 or newer (with venv). Install it, or name it: make PYTHON=/path/to/python3.13" >&2
exit 1
