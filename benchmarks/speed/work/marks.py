"""By what a line of figures is known."""

MARK = "figures "
