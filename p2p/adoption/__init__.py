"""Adoption: steps proposed for a plain notebook, and its cells marked without changing anything else."""

from p2p.adoption.cells import mark_cell, tag_cell
from p2p.adoption.proposal import Proposal, Proposed, propose
from p2p.adoption.roles import Role
from p2p.adoption.writing import mark

__all__ = ["Proposal", "Proposed", "Role", "mark", "mark_cell", "propose", "tag_cell"]
