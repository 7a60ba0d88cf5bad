"""Measurements of p2p, a command each: `python -m benchmarks.convert FOLDER`."""
