"""Reads recorded answers of the real Azure and compares their shape with simulated ones."""

import json
from pathlib import Path
from typing import Any


def recorded(samples: Path, file: str, operation: str, status: int) -> list[Any]:
    """Bodies of the recorded answers to an operation."""
    lines = (samples / "arm" / f"{file}.jsonl").read_text().splitlines()
    calls = [json.loads(line) for line in lines]
    return [
        call["response_body"]
        for call in calls
        if call["operation"].lower() == operation.lower() and call["status"] == status
    ]


def missing_keys(real: Any, simulated: Any, where: str = "") -> list[str]:  # noqa: ANN401 - any JSON
    """Paths of keys that the recorded body has and the simulated one lacks, or has with another type."""
    if isinstance(real, dict):
        if not isinstance(simulated, dict):
            return [where]
        lacking = [f"{where}/{key}" for key in real if key not in simulated]
        inside = [
            path
            for key, value in real.items()
            if key in simulated and key != "tags"
            for path in missing_keys(value, simulated[key], f"{where}/{key}")
        ]
        return lacking + inside
    if isinstance(real, list) and isinstance(simulated, list):
        if real and simulated:
            return missing_keys(real[0], simulated[0], f"{where}/0")
        return []
    known = real is None or simulated is None or isinstance(simulated, type(real))
    return [] if known else [where]
