"""The measurements of p2p alone, which need nothing from outside: `python -m benchmarks`.

`make bench` then goes on with `benchmarks.speed`, which installs the peers and takes long.
"""

from __future__ import annotations

import sys

from benchmarks import compiling

if __name__ == "__main__":
    sys.exit(compiling.main())
