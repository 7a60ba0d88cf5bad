"""What becomes of notebooks that somebody else wrote: `python -m benchmarks.convert FOLDER [--json]`.

Each notebook of the folder is run twice as it is, in a kernel of its own without p2p, to see whether it runs and which
of its values are the same both times. Then `p2p adopt --write` and `p2p export` are given a copy, with no edit by hand;
and the peers that are asked for convert another. Where they accept, the values of what they wrote are held against
those of the plain notebook, by digest and without a look at what the converter itself says of them.

| outcome | means |
|---|---|
| equal | converted, and every value that can be compared is the same |
| different | converted, and one of those values is another: this must never be |
| refused | not converted; the reason is shown |
| fails | converted by a peer, and the result does not run |
| takes too long | a command took longer than `--timeout` |
| does not run | the plain notebook itself fails here |

Results are kept as JSON lines (`--keep FILE`), and what is there already is not done again.
"""
