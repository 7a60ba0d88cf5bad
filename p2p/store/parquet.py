"""Writing an Arrow table as Parquet so that equal tables give equal bytes."""

from __future__ import annotations

from typing import Any

ROW_GROUP = 1 << 20


def write(table: Any) -> bytes:
    """Parquet bytes: zstd level 1, fixed row groups, no statistics."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(
        table, sink, row_group_size=ROW_GROUP, compression="zstd", compression_level=1, write_statistics=False
    )
    data: bytes = sink.getvalue().to_pybytes()
    return data


def read(data: bytes) -> Any:
    """The Arrow table of `write`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pq.ParquetFile(pa.BufferReader(data)).read()
