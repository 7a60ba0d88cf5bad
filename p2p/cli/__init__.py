"""The command line: parse, call one function, show."""

from p2p.cli.app import main
from p2p.cli.module import module_main

__all__ = ["main", "module_main"]
