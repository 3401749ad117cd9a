"""`python -m local condense`: the app's correlation on a user's own files."""
