"""Repositories: one file per table, and the blob containers. Facts in, facts out."""
