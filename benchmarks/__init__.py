"""What Lightkeeper holds itself to, measured as ratios side by side in one run.

A benchmark is one function that yields rows, in one file, registered in `benchmarks/registry.py`.
"""
