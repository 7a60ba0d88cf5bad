"""How fast p2p is, beside what people use without it: `python -m benchmarks.speed [LINE...]`, or `make bench`.

A line is a question, such as what a chain of 1,000 steps costs. Each measurement is a process of its own, in an empty
directory; p2p and a peer take turns, and medians of several rounds are compared. Peers are installed by the benchmark
(`peers.py`), never by the package. A line is one module in `lines/` and one entry in `registry.py`; what it has run in
processes lies in `work/`, where p2p and the peers are given the same functions.

The lines about sizes (`past`, `points`, `frame`) compare a large case with a small one instead of p2p with a peer. They
take minutes and gigabytes, so they are measured only where they are named: `make bench LINES="past points frame"`.
"""
