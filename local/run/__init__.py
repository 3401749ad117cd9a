"""`make run`: all parts, up until Ctrl-C."""
