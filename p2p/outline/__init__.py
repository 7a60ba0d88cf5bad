"""A notebook's steps as its text tells them, and how they stand: run, failed, stale and why. Nothing is run here."""

from p2p.outline.outlining import Outline, OutlinedStep, outline
from p2p.outline.ran import Ran, Ranning
from p2p.outline.standing import Standing, standings, to_run
from p2p.outline.table import StandingTable

__all__ = ["Outline", "OutlinedStep", "Ran", "Ranning", "Standing", "StandingTable", "outline", "standings", "to_run"]
