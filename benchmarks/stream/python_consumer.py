"""python_consumer.py BROKERS TOPIC COUNT TABLE GROUP: what a user would write: confluent-kafka, DuckDB, delta-rs, one table.

At least once: offsets are committed behind each append. The seconds run from joining the group to the last append.
"""

import json
import os
import pathlib
import sys
import time

from confluent_kafka import Consumer
from deltalake import write_deltalake

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import rows  # noqa: E402

ROWS = 50_000

brokers, topic, count, table = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
start = time.perf_counter()
consumer = Consumer({"bootstrap.servers": brokers, "group.id": f"python{sys.argv[5]}", "auto.offset.reset": "earliest",
                     "enable.auto.commit": False, "fetch.queue.backoff.ms": 10, "log_level": 0})
consumer.subscribe([topic])
connection = rows.connect()
os.makedirs(table, exist_ok=True)
piece = f"{table}-piece.ndjson"
waiting, done = [], 0
while done < count:
    waiting += [message.value() for message in consumer.consume(10_000, 0.2) if not message.error()]
    if len(waiting) < ROWS and done + len(waiting) < count:
        continue
    with open(piece, "wb") as out:
        out.write(b"\n".join(waiting))
    write_deltalake(table, connection.sql(rows.duckdb_query(piece)).to_arrow_table(), mode="append")
    consumer.commit(asynchronous=False)
    done += len(waiting)
    waiting = []
print(json.dumps({"seconds": time.perf_counter() - start}))
consumer.close()
os.unlink(piece)
