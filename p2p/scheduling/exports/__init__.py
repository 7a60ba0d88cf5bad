"""A schedule written for another scheduler, in that one's own words."""

from p2p.scheduling.exports.files import put, together
from p2p.scheduling.exports.model import Exported, Order, Per, Target
from p2p.scheduling.exports.registry import TARGETS
from p2p.scheduling.exports.story import Asked, export

__all__ = ["TARGETS", "Asked", "Exported", "Order", "Per", "Target", "export", "put", "together"]
