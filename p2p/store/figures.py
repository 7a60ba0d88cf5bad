"""Matplotlib figures as PNG: what a person saw, not the objects that drew it."""

from __future__ import annotations

import io
import sys
from typing import Any

DPI = 100


class PngCodec:
    """A rendered figure. Decoding gives the PNG's bytes: a figure is for looking at, not for computing with."""

    name = "png"
    suffix = ".png"

    def accepts(self, value: Any) -> bool:
        figure: Any = sys.modules.get("matplotlib.figure")
        return figure is not None and isinstance(value, figure.Figure)

    def encode(self, value: Any) -> bytes:
        buffer = io.BytesIO()
        # Matplotlib writes its own version into the file unless told otherwise.
        value.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
        return buffer.getvalue()

    def decode(self, data: bytes) -> bytes:
        return data
