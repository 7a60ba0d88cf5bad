"""What a cell's text tells: its mark, its names, its steps and their calls. Takes source text, and never runs it."""

from p2p.analysis.calls import StepCall, StepFunction, step_calls, step_functions
from p2p.analysis.digest import digest_source
from p2p.analysis.installed import owners_of, version_of
from p2p.analysis.marks import Mark, is_step_mark, parse_mark, split_mark
from p2p.analysis.names import CellNames, cell_names, names_in, step_inputs, step_outputs
from p2p.analysis.places import Place, added_paths, find_file, is_installed, is_library_path, places_of
from p2p.analysis.stars import looking_in, star_names
from p2p.analysis.transform import magics, parse_cell, split_lines, to_python

__all__ = [
    "CellNames",
    "Mark",
    "Place",
    "StepCall",
    "StepFunction",
    "added_paths",
    "cell_names",
    "digest_source",
    "find_file",
    "is_installed",
    "is_library_path",
    "is_step_mark",
    "looking_in",
    "magics",
    "names_in",
    "owners_of",
    "parse_cell",
    "parse_mark",
    "places_of",
    "split_lines",
    "split_mark",
    "star_names",
    "step_calls",
    "step_functions",
    "step_inputs",
    "step_outputs",
    "to_python",
    "version_of",
]
