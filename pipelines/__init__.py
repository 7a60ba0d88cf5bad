"""Exported pipelines, a package each. Written by `p2p export`."""
