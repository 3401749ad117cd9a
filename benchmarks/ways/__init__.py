"""Ways from a capture file to compressed condensed records, all with the same result.

Each way is a module with a function `prepare(file, outcome, finished)`, whose result is the work that is
measured.
"""
