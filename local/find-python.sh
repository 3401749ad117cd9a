#!/bin/sh
# Prints the path of a Python 3.13+ that really runs; where there is none, uv makes one in .python; else it says so.
# A python3.13 on the PATH may be a version manager's shim that exists and fails, so each is tried.
usable() {
    "$1" -c 'import sys, venv, ensurepip
assert sys.version_info >= (3, 13)
print(sys.executable)' 2>/dev/null
}

for candidate in "${PYTHON:-}" python3.13 python3.14 python3 "$HOME"/.pyenv/versions/3.1[3-9]*/bin/python; do
    [ -n "$candidate" ] || continue
    usable "$candidate" && exit 0
done

own="$PWD/.python"
uv=$(command -v uv) || uv="$own/uv/bin/uv"
if [ ! -x "$uv" ]; then
    echo "There is no Python 3.13 or newer here; making one in .python" >&2
    "${PYTHON:-python3}" -m venv "$own/uv" >&2 &&
        "$own/uv/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9 >&2
fi
if [ -x "$uv" ]; then
    found=$("$uv" python find --system '>=3.13' 2>/dev/null) || {
        export UV_PYTHON_INSTALL_DIR="$own/versions" UV_PYTHON_PREFERENCE=only-managed
        "$uv" python install 3.13 >&2 && found=$("$uv" python find --system '>=3.13')
    }
    [ -n "$found" ] && usable "$found" && exit 0
fi
echo "Lightkeeper needs Python 3.13 or newer (with venv). Install it, or name it: make PYTHON=/path/to/python3.13" >&2
exit 1
