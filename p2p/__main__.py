"""`python -m p2p` is the `p2p` command."""

from p2p.cli import command

command()
