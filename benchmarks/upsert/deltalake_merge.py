"""deltalake_merge.py TABLE SOURCE.parquet: delta-rs merges the rows by id where the source is newer, and inserts new ones.

Of a copy of silver.observation the key is id_space and id, as it is there.
"""

import json
import sys
import time

import deltalake
import pyarrow.parquet

table, source = sys.argv[1:]
start = time.perf_counter()
target, rows = deltalake.DeltaTable(table), pyarrow.parquet.read_table(source)
same_key = "t.id = u.id" + (" AND t.id_space = u.id_space" if "id_space" in rows.column_names else "")
metrics = (target
           .merge(source=rows, predicate=same_key, source_alias="u", target_alias="t",
                  writer_properties=deltalake.WriterProperties(compression="ZSTD"))
           .when_matched_update_all(predicate="u.last_updated > t.last_updated")
           .when_not_matched_insert_all().execute())
print(json.dumps({"seconds": time.perf_counter() - start, "updated": metrics["num_target_rows_updated"],
                  "inserted": metrics["num_target_rows_inserted"]}))
