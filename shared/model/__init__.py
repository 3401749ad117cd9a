"""Facts as frozen dataclasses and enums. No I/O; imports nothing of ours."""
