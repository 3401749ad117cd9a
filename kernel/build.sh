#!/bin/sh
# Compiles the kernel. Arguments: a Python that has requirements-kernel.txt, and where to put what comes out, both
# seen from the repository's folder. What comes out depends on nothing but the source and the compiler's version.
set -eu
cd "$(dirname "$0")/.."

"$1" -m ziglang build-exe kernel/main.zig -fno-entry -rdynamic \
    -O ReleaseSafe -fstrip -fsingle-threaded \
    -target wasm32-freestanding -mcpu=generic+simd128+bulk_memory \
    --cache-dir build/kernel/cache --global-cache-dir build/kernel/cache \
    -femit-bin="$2"
