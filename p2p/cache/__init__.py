"""Results that are used again: those of a run that is resumed, and those of equal steps."""

from p2p.cache.code import code_of_cell, code_of_function
from p2p.cache.earlier import CellState, Earlier
from p2p.cache.entries import Entries, Kept
from p2p.cache.inputs import KeptInputs
from p2p.cache.memory import RunMemory
from p2p.cache.reuse import UNTIL, Reuse, check_target, going_on_with
from p2p.cache.turns import Turns

__all__ = [
    "UNTIL",
    "CellState",
    "Earlier",
    "Entries",
    "Kept",
    "KeptInputs",
    "Reuse",
    "RunMemory",
    "Turns",
    "check_target",
    "code_of_cell",
    "code_of_function",
    "going_on_with",
]
