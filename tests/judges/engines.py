"""Three other engines that read the tables: delta-rs, DuckDB with its Delta extension, Spark with Delta.

Each reader gives an Arrow table; `fingerprint` makes those comparable whatever the order of the rows.
"""

import glob
import os
import pathlib

import deltalake
import duckdb
import duckdb_extension_delta
import pyarrow as pa

from product import ROOT


def connect():
    """A DuckDB of the judges' own, with the Delta extension, in UTC."""
    connection = duckdb.connect()
    extension = glob.glob(os.path.dirname(duckdb_extension_delta.__file__) + "/extensions/*/delta.duckdb_extension")[0]
    connection.sql(f"LOAD '{extension}'")
    connection.sql("SET TimeZone = 'UTC'; SET threads = 2; SET memory_limit = '1GB'")
    return connection


def plain(table):
    """Columns by name; times as UTC without a zone, so that engines differ in values only."""
    columns = {}
    for name in sorted(table.column_names):
        column = table.column(name)
        kind = column.type
        if pa.types.is_timestamp(kind):
            column = column.cast(pa.timestamp("us", "UTC") if kind.tz else pa.timestamp("us")).cast(pa.timestamp("us"))
        elif pa.types.is_dictionary(kind):
            column = column.cast(kind.value_type)
        elif pa.types.is_large_string(kind) or str(kind) == "string_view":
            column = column.cast(pa.string())
        elif pa.types.is_uint64(kind):  # how delta-rs types _commit_version; the protocol says long
            column = column.cast(pa.int64())
        columns[name] = column
    return pa.table(columns)


def fingerprint(table):
    """{column: (type, rows, values that are not null, sum of hashes)} and the hash of whole rows."""
    table = plain(table)
    connection = duckdb.connect()
    connection.register("t", table)
    result = {}
    for name, kind in zip(table.column_names, table.schema.types):
        rows, values, total = connection.sql(
            f'SELECT count(*), count("{name}"), coalesce(sum(hash("{name}"::VARCHAR)::HUGEINT), 0)::VARCHAR FROM t').fetchone()
        result[name] = (str(kind), rows, values, total)
    text = ", ".join(f'"{name}"::VARCHAR' for name in table.column_names)
    result["*"] = connection.sql(f"SELECT count(*), coalesce(sum(hash(({text}))::HUGEINT), 0)::VARCHAR FROM t").fetchone()
    return result


def read_delta_rs(folder):
    return deltalake.DeltaTable(str(folder)).to_pyarrow_table()


def read_duckdb(folder):
    return connect().sql(f"SELECT * FROM delta_scan('{folder}')").to_arrow_table()


def changes_delta_rs(folder, first=0):
    return pa.table(deltalake.DeltaTable(str(folder)).load_cdf(starting_version=first).read_all())


class Spark:
    """One local session for the whole test run."""

    def __init__(self, work):
        from pyspark.sql import SparkSession
        jars = sorted(glob.glob(str(ROOT / ".deps/jars/*.jar")))
        assert jars, "no Delta jars in .deps/jars: run make setup"
        work = pathlib.Path(work)
        settings = {
            "spark.driver.memory": "1g", "spark.jars": ",".join(jars), "spark.driver.extraClassPath": ":".join(jars),
            "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
            "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
            "spark.sql.session.timeZone": "UTC", "spark.sql.shuffle.partitions": "2",
            "spark.databricks.delta.snapshotPartitions": "1",
            "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
            "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
            "spark.sql.warehouse.dir": str(work / "warehouse"), "spark.local.dir": str(work / "local"),
            "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        }
        builder = SparkSession.builder.appName("judges").master("local[2]")
        for key, value in settings.items():
            builder = builder.config(key, value)
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("ERROR")

    def frame(self, folder):
        return self.session.read.format("delta").load(str(folder))

    def read(self, folder):
        return self.frame(folder).toArrow()

    def changes(self, folder, first=0):
        return (self.session.read.format("delta").option("readChangeFeed", "true")
                .option("startingVersion", first).load(str(folder)).toArrow())

    def append(self, folder, rows):
        self.frame(folder).limit(rows).write.format("delta").mode("append").save(str(folder))

    def stop(self):
        self.session.stop()
