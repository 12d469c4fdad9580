"""Writes a result as a file. Run as `python -I -m oversight.sandbox.write KIND FD`.

An Arrow stream is read from the open file FD, the notes of a workbook as JSON from standard input; the file goes to
standard output. In a process of its own, because a million rows keep Python busy for a minute, and a server that
answers others must not be that Python.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import IO, Any

import pyarrow
import pyarrow.ipc
import pyarrow.parquet

from oversight.sandbox import jail
from oversight.sandbox.output import unique, write_csv, write_xlsx


def main(kind: str, descriptor: int) -> None:
    """Write it."""
    jail.die_with_parent()
    os.nice(5)
    notes = json.load(sys.stdin)
    with open(descriptor, "rb") as source, open(sys.stdout.fileno(), "w+b", closefd=False) as target:
        reader = pyarrow.ipc.open_stream(source)
        names = unique(reader.schema.names)
        if kind == "parquet":
            _parquet(target, names, reader)
        elif kind == "csv":
            write_csv(target, names, _rows(reader))
        else:
            write_xlsx(target, names, _rows(reader), notes)


def _parquet(target: IO[bytes], names: list[str], reader: pyarrow.RecordBatchReader) -> None:
    schema = pyarrow.schema([item.with_name(name) for item, name in zip(reader.schema, names, strict=True)])
    with pyarrow.parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in reader:
            batch.validate(full=True)
            writer.write_batch(pyarrow.RecordBatch.from_arrays(batch.columns, schema=schema))


def _rows(reader: pyarrow.RecordBatchReader) -> Iterator[tuple[Any, ...]]:
    for batch in reader:
        batch.validate(full=True)
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
