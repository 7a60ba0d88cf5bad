"""wine, the version that production runs: the one that the line below names."""

from .v1.pipeline import pipeline as pipeline
