"""Triggers, one file per concern: parse, call one thing in `shared/`, return."""
