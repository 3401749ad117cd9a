"""Capture file to entries, operations, condensed records, hand-off."""
