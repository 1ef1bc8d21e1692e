"""deltalake_merge.py TABLE SOURCE.parquet: delta-rs merges the rows by id where the source is newer, and inserts new ones."""

import json
import sys
import time

import deltalake
import pyarrow.parquet

table, source = sys.argv[1:]
start = time.perf_counter()
metrics = (deltalake.DeltaTable(table)
           .merge(source=pyarrow.parquet.read_table(source), predicate="t.id = u.id", source_alias="u", target_alias="t",
                  writer_properties=deltalake.WriterProperties(compression="ZSTD"))
           .when_matched_update_all(predicate="u.last_updated > t.last_updated")
           .when_not_matched_insert_all().execute())
print(json.dumps({"seconds": time.perf_counter() - start, "updated": metrics["num_target_rows_updated"],
                  "inserted": metrics["num_target_rows_inserted"]}))
