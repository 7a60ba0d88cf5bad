"""The tasks that p2p and the peers are given. The same functions for all of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

NAP = 0.05
SHORT = 0.001
COLUMNS = 20


def increment(x: int) -> int:
    """The task that does as good as nothing."""
    return x + 1


def nap(x: int) -> int:
    """A task that takes 50 ms and no processor time."""
    time.sleep(NAP)
    return x + 1


def short(x: int) -> int:
    """A task of 1 ms."""
    time.sleep(SHORT)
    return x + 1


def floats(nbytes: int, seed: int = 0) -> pd.DataFrame:
    """A frame of random numbers in 20 columns, about so many bytes of them."""
    import numpy as np
    import pandas as pd

    numbers = np.random.default_rng(seed).random((nbytes // 8 // COLUMNS, COLUMNS))
    return pd.DataFrame(numbers, columns=[f"c{n}" for n in range(COLUMNS)])


def mixed(rows: int, seed: int = 0) -> pd.DataFrame:
    """A frame of 10 columns of floats, 5 of whole numbers and 5 of texts."""
    import numpy as np

    frame = floats(rows * 8 * COLUMNS, seed)
    for place in range(10, 15):
        frame[f"c{place}"] = np.arange(rows) * place
    for place in range(15, COLUMNS):
        frame[f"c{place}"] = texts(rows, f"t{place}")
    return frame


def texts(count: int, prefix: str = "customer", dtype: Any = None) -> pd.Series:
    """Different texts of about 17 characters, in no order."""
    import numpy as np
    import pandas as pd

    numbers = np.random.default_rng(0).permutation(count)
    return pd.Series([f"{prefix}-{number:08d}" for number in numbers], dtype=dtype)


def scaled(frame: pd.DataFrame) -> pd.DataFrame:
    """Every number times two."""
    return frame * 2.0


def shifted(frame: pd.DataFrame) -> pd.DataFrame:
    """Every number plus one."""
    return frame + 1.0


def with_sum(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The frame with one more column: the usual step of a notebook. The other columns are shared, not copied."""
    return frame.assign(**{name: frame["c0"] + frame["c1"]})
