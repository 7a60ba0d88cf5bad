"""What runs in this kernel or script: the open run, and where in the notebook a step is called."""

from p2p.session.attached import ATTACH, Attachment
from p2p.session.callsites import CallSites, Site, call_site, use_call_sites
from p2p.session.interactive import AttachedSession, InteractiveSession, Session
from p2p.session.script import run

__all__ = ["ATTACH", "AttachedSession", "Attachment", "CallSites", "InteractiveSession", "Session", "Site",
           "call_site", "run", "use_call_sites"]  # fmt: skip
