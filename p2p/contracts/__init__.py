"""What a value must look like, whether it does, and what it has looked like.

A contract is one of four things, so that an exported module states it without importing p2p: a Python type
(`isinstance`), a dict of facts about an array, a pandera schema (anything with a `validate` method), or None for
"anything". What was seen in a recorded run is beside the contracts, as plain data: nothing is held to it.
"""

from p2p.contracts.observed import observe, own_names, unseen
from p2p.contracts.rules import broken_rules, check

__all__ = ["broken_rules", "check", "observe", "own_names", "unseen"]
