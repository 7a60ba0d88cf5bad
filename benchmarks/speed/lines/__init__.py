"""The lines: a module each, with a function that measures and gives rows."""
