"""copy_duckdb_deltalake.py INPUT FOLDER: a durable copy of the input, then silver alone with DuckDB and delta-rs."""

import json
import os
import pathlib
import subprocess
import sys
import time

source, folder = sys.argv[1:]
os.makedirs(folder)
start = time.perf_counter()
subprocess.run(["cp", source, f"{folder}/copy.ndjson"], check=True)
subprocess.run(["sync", f"{folder}/copy.ndjson", folder], check=True)
copy_seconds = time.perf_counter() - start
silver = subprocess.run([sys.executable, str(pathlib.Path(__file__).parents[1] / "delta/duckdb_deltalake.py"), source, f"{folder}/silver"],
                        check=True, capture_output=True, text=True)
print(json.dumps({"seconds": copy_seconds + json.loads(silver.stdout)["seconds"]}))
