"""duckdb_deltalake.py INPUT TABLE: DuckDB's read_json into a Delta table written by delta-rs."""

import json
import pathlib
import sys
import time

from deltalake import WriterProperties, write_deltalake

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import rows  # noqa: E402

source, target = sys.argv[1:]
connection = rows.connect()
start = time.perf_counter()
write_deltalake(target, connection.sql(rows.duckdb_query(source)).to_arrow_reader(100_000),
                writer_properties=WriterProperties(compression="ZSTD"))
print(json.dumps({"seconds": time.perf_counter() - start}))
