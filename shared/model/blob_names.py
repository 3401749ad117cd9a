"""Names of what becomes of a capture file, which tell those who look for it where it is."""

from datetime import datetime


def condensed_name(customer: str, moment: datetime, run: str, ending: str = "") -> str:
    """The name of a condensed file in its container.

    Args:
        customer: the customer's slug.
        moment: of the capture file or flush; the file stands in the folder of that hour.
        run: ID of the capture file or flush.
        ending: of the compression; without it this is how the name begins, whatever the compression is.
    """
    return f"{customer}/{moment:%Y/%m/%d/%H}/{run}.ndjson.{ending}"


def copy_name(aside: str) -> str:
    """The name of the copy of a whole file, beside the list of that name of what was set aside."""
    return f"{aside.removesuffix('.ndjson')}.avro"
