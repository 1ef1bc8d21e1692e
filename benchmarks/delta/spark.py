"""spark.py INPUT TABLE: PySpark's read.json with a given schema into a Delta table; the session's start is not counted."""

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

source, target = sys.argv[1:]
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
    "spark.sql.warehouse.dir": target + "-warehouse", "spark.local.dir": target + "-local",
}
builder = SparkSession.builder.master(f"local[{threads}]")
for key, value in settings.items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")

start = time.perf_counter()
part = "filter(component, x -> exists(x.code.coding, c -> c.system = 'http://loinc.org' AND c.code = '{}'))[0]"
frame = spark.read.schema(SCHEMA).json(source).selectExpr("*", part.format("8480-6") + " s", part.format("8462-4") + " d")
frame = frame.selectExpr(
    "id", "status", "replace(subject.reference, 'Patient/', '') patient_id", "CAST(effectiveDateTime AS TIMESTAMP) effective_time",
    "CAST(meta.lastUpdated AS TIMESTAMP) last_updated", "category[0].coding[0].code category_code", "code.coding[0].code code",
    "s.valueQuantity.value systolic_value", "s.valueQuantity.unit systolic_unit", "s.interpretation[0].coding[0].code systolic_interpretation",
    "d.valueQuantity.value diastolic_value", "d.valueQuantity.unit diastolic_unit", "d.interpretation[0].coding[0].code diastolic_interpretation")
frame.write.format("delta").mode("overwrite").save(target)
print(json.dumps({"seconds": time.perf_counter() - start}))
spark.stop()
