"""Tells where values differ as `p2p.export.comparing` does, in a process that can load the module's classes."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from p2p.export import comparing


def work(folder: str, **request: Any) -> dict[str, Any]:
    """The `differences` of the pairs in a request to `p2p.export.comparing`; `folder` holds the module's package."""
    answer = io.StringIO()
    sys.stdin = io.StringIO(json.dumps({"path": [folder], **request}))
    sys.stdout = answer
    comparing.main()
    sys.stdout = sys.__stdout__
    return {"differences": json.loads(answer.getvalue())}
