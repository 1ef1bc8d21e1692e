"""spark.py BROKERS TOPIC COUNT TABLE: Structured Streaming from Kafka into one Delta table, all there is (availableNow).

The seconds run from the query's start to its end; the session's start is not counted.
"""

import glob
import json
import os
import pathlib
import sys
import time

from pyspark.sql import SparkSession

SCHEMA = """id STRING, status STRING, meta STRUCT<lastUpdated:STRING>, category ARRAY<STRUCT<coding:ARRAY<STRUCT<code:STRING>>>>,
  code STRUCT<coding:ARRAY<STRUCT<code:STRING>>>, subject STRUCT<reference:STRING>, effectiveDateTime STRING,
  component ARRAY<STRUCT<code:STRUCT<coding:ARRAY<STRUCT<system:STRING,code:STRING>>>,valueQuantity:STRUCT<value:DOUBLE,unit:STRING>,
    interpretation:ARRAY<STRUCT<coding:ARRAY<STRUCT<code:STRING>>>>>>"""

brokers, topic, count, table = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
threads = os.environ.get("THREADS", os.cpu_count())
jars = sorted(glob.glob(str(pathlib.Path(__file__).parents[2] / ".deps/jars/*.jar")))
settings = {
    "spark.driver.memory": "8g", "spark.jars": ",".join(jars), "spark.driver.extraClassPath": ":".join(jars),
    "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
    "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC", "spark.sql.shuffle.partitions": "8", "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.warehouse.dir": table + "-warehouse", "spark.local.dir": table + "-local",
}
builder = SparkSession.builder.master(f"local[{threads}]")
for key, value in settings.items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")

start = time.perf_counter()
messages = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", brokers).option("subscribe", topic)
            .option("startingOffsets", "earliest").load())
part = "filter(o.component, x -> exists(x.code.coding, c -> c.system = 'http://loinc.org' AND c.code = '{}'))[0]"
frame = messages.selectExpr(f"from_json(CAST(value AS STRING), '{' '.join(SCHEMA.split())}') o")
frame = frame.selectExpr("o.*", part.format("8480-6") + " s", part.format("8462-4") + " d")
frame = frame.selectExpr(
    "id", "status", "replace(subject.reference, 'Patient/', '') patient_id", "CAST(effectiveDateTime AS TIMESTAMP) effective_time",
    "CAST(meta.lastUpdated AS TIMESTAMP) last_updated", "category[0].coding[0].code category_code", "code.coding[0].code code",
    "s.valueQuantity.value systolic_value", "s.valueQuantity.unit systolic_unit", "s.interpretation[0].coding[0].code systolic_interpretation",
    "d.valueQuantity.value diastolic_value", "d.valueQuantity.unit diastolic_unit", "d.interpretation[0].coding[0].code diastolic_interpretation")
frame.writeStream.format("delta").option("checkpointLocation", table + "-checkpoint").trigger(availableNow=True).start(table).awaitTermination()
seconds = time.perf_counter() - start
written = spark.read.format("delta").load(table).count()
assert written == count, f"{written} rows of {count}"
print(json.dumps({"seconds": seconds}))
spark.stop()
