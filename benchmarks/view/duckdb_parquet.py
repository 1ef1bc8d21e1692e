"""duckdb_parquet.py INPUT OUTPUT: DuckDB's read_json with explicit columns into zstd Parquet."""

import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import rows  # noqa: E402

source, target = sys.argv[1:]
connection = rows.connect()
start = time.perf_counter()
connection.sql(f"COPY ({rows.duckdb_query(source)}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
print(json.dumps({"seconds": time.perf_counter() - start}))
