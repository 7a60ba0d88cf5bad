"""What is run in processes of its own, by p2p and by peers: `python -m benchmarks.speed.work.MODULE ...`.

A module of a peer imports that peer, the tasks and the clock of this package, and nothing else of the benchmarks: it
runs in the peer's own environment. Each result is checked before a figure is told.
"""
