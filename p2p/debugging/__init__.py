"""Debugging: a step of a past run as a notebook with its real inputs, and its fix brought home."""

from p2p.debugging.home import Home, take_home
from p2p.debugging.story import Debugged, debug, way_in

__all__ = ["Debugged", "Home", "debug", "take_home", "way_in"]
