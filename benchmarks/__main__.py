"""All measurements that need nothing from outside: `python -m benchmarks`, or `make bench`."""

from __future__ import annotations

import sys

from benchmarks import compiling

if __name__ == "__main__":
    sys.exit(compiling.main())
