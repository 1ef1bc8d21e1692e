"""duckdb_models.py LAKE OUT: the four models that read silver alone (of models/*.sql), by DuckDB over the lake's silver Parquet, to OUT/<model>.parquet."""

import json
import pathlib
import re
import sys
import time

import deltalake

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import rows  # noqa: E402

lake, out = map(pathlib.Path, sys.argv[1:])
out.mkdir(parents=True, exist_ok=True)
models = pathlib.Path(__file__).resolve().parents[2] / "models"
connection = rows.connect()
connection.sql("CREATE SCHEMA silver")
for table in ("patient", "observation", "vital_sign"):
    files = deltalake.DeltaTable(str(lake / "silver" / table)).file_uris()
    connection.sql(f"CREATE VIEW silver.{table} AS SELECT * FROM read_parquet({files})")
(links,) = connection.sql("SELECT count(*) FROM silver.patient WHERE replaced_by IS NOT NULL").fetchone()
if links:
    raise SystemExit("these patients have links, which this rival does not follow")
connection.sql("CREATE VIEW person_link AS SELECT '' AS id_space, '' AS patient_id, '' AS person_id WHERE false")
start = time.perf_counter()
for model in sorted(models.glob("*.sql")):
    sql = model.read_text()
    order = re.search(r"^-- clustered: (.*)$", sql, re.MULTILINE)
    if not order or "ops." in sql or "news2_" in sql:
        continue  # a view, or of tables and functions that the rival has not
    connection.sql(f"COPY (SELECT * FROM ({sql}\n) ORDER BY {order[1]}) TO '{out / model.stem}.parquet' (FORMAT parquet, COMPRESSION zstd)")
print(json.dumps({"seconds": time.perf_counter() - start}))
