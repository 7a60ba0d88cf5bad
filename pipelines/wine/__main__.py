"""`python -m pipelines.wine`: run the promoted version."""

from p2p.cli import module_main

from . import pipeline

raise SystemExit(module_main(pipeline))
