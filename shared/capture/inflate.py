"""Decompression that trusts nobody about the size."""

import zlib

from isal import isal_zlib

RAW_DEFLATE = -zlib.MAX_WBITS
GZIP = zlib.MAX_WBITS | 16


class InflateError(ValueError):
    """The data is broken, cut off, or larger than allowed."""


def inflate(data: bytes, window: int, limit: int) -> tuple[bytes, bytes]:
    """Decompress one stream, and give back what follows it.

    Args:
        data: compressed.
        window: `RAW_DEFLATE` or `GZIP`.
        limit: bytes that may come out.

    Raises:
        InflateError: the data is broken, cut off, or larger.
    """
    stream = isal_zlib.decompressobj(wbits=window)
    try:
        inflated = stream.decompress(data, limit)
    except isal_zlib.error as error:  # type: ignore[misc]  # the stubs give it as a value, not a class
        raise InflateError(str(error)) from error
    if not stream.eof:
        raise InflateError("it is cut off or far too large")
    return inflated, stream.unused_data
