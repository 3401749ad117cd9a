"""The kernel's sandbox: WebAssembly that sees nothing but a memory of its own."""

import ctypes
import mmap
from functools import cache
from pathlib import Path
from typing import Final

import wasmtime

_MOST: Final = 1 << 30
"""Bytes that its memory may have."""

_LARGE_PAGES: Final[int | None] = getattr(mmap, "MADV_HUGEPAGE", None)
"""Asks for memory in pieces of 2 MiB, where the system can do that (`madvise(2)` in the manual of Linux)."""

_CODE: Final = Path(__file__).with_name("kernel.wasm")


@cache
def _compiled() -> tuple[wasmtime.Engine, wasmtime.Module]:
    """The code, compiled for this machine once in each process."""
    engine = wasmtime.Engine()
    return engine, wasmtime.Module.from_file(engine, str(_CODE))


class Sandbox:
    """A sandbox with the kernel in it.

    Raises:
        WasmtimeError: there is no memory left for it.
    """

    def __init__(self) -> None:
        engine, module = _compiled()
        self._store = wasmtime.Store(engine)
        self._store.set_limits(memory_size=_MOST)
        found = wasmtime.Instance(self._store, module, []).exports(self._store)
        exports = dict(found.items())
        self._functions = {name: one for name, one in exports.items() if isinstance(one, wasmtime.Func)}
        memory = exports["memory"]
        if not isinstance(memory, wasmtime.Memory):
            raise TypeError("the kernel shows no memory")
        self._memory = memory
        self._view = self._whole()
        if _LARGE_PAGES is not None:
            # Each sandbox's memory is new. To get it in pieces of 4 KiB takes a sixth of a small file's time.
            # It is a hint: where it is not taken, nothing is lost.
            beginning = ctypes.addressof(memory.get_buffer_ptr(self._store))
            ctypes.CDLL(None).madvise(ctypes.c_void_p(beginning), ctypes.c_size_t(_MOST), _LARGE_PAGES)

    def call(self, name: str) -> int:
        """Call a function without arguments; gives 0 if it gives nothing.

        Raises:
            Trap: it failed, which it does rather than go on in a state that is not sound.
        """
        result = self._functions[name](self._store)
        self._view = self._whole()
        return result or 0

    def view(self, at: int, size: int) -> memoryview:
        """A part of its memory; less than that if it has less."""
        return self._view[at : at + size]

    def write(self, at: int, data: bytes | memoryview) -> None:
        """Write into its memory.

        Raises:
            ValueError: it is not that large.
        """
        self._view[at : at + len(data)] = data

    def _whole(self) -> memoryview:
        """All of its memory, so that whatever place the code names, nothing beyond is touched."""
        buffer = self._memory.get_buffer_ptr(self._store)
        # Whoever still looks at it keeps it: a thread may go on where a run was cut off.
        buffer.store = self._store  # type: ignore[attr-defined]  # any object may be hung on an array
        return memoryview(buffer).cast("B")
