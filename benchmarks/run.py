#!/usr/bin/env python3
"""Measures Vitalake beside what a user would take instead, and writes docs/benchmarks.md.

For each task: inputs are made once (build/bench), each contestant runs RUNS times on an idle machine, the results
are compared first, and the median time and the highest peak memory are reported. A rival's time is its job alone,
without the start of Python or Java; Vitalake's is the whole process, where it does not say `alone`.

    run.py [--task view ...] [--runs 3] [--full]      --full: also 10 million rows and ten times the input
    run.py --task gold --rows 10000000                gold over 10 million readings (20 GB of disk)
    run.py --task serve_large                         what a service answers, over 10 million readings (34 GB of disk)
"""

import argparse
import copy
import datetime
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import data  # noqa: E402
import rows  # noqa: E402
from measure import measure  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PAGE = data.ROOT / "docs/benchmarks.md"
RESULTS = data.ROOT / "benchmarks/results.json"
OUT = data.WORK / "out"


class Row:
    """One contestant of a task: median seconds, peak memory, and what stands beside them."""

    def __init__(self, who, measured, note=""):
        self.who, self.note = who, note
        self.seconds = statistics.median(m.seconds for m in measured)
        self.low, self.high = min(m.seconds for m in measured), max(m.seconds for m in measured)
        self.peak_mb = max(m.peak_mb for m in measured)


def contest(who, command, runs, prepare=None, note=""):
    """A contestant; `prepare` sets the stage before each run, outside the measurement. A command may be made anew for each."""
    return who, command, runs, prepare, note


def race(*contests):
    """Runs the contestants in turns, so that a slow minute of the machine meets all of them."""
    measured = [[] for _ in contests]
    for turn in range(max(runs for _, _, runs, _, _ in contests)):
        for (_, command, runs, prepare, _), into in zip(contests, measured):
            if turn >= runs:
                continue
            if prepare:
                prepare()
            os.sync()  # what was prepared, or left by the one before, is not written during the run
            into.append(measure(command() if callable(command) else command))
    result = [Row(who, into, note) for (who, _, _, _, note), into in zip(contests, measured)]
    for row in result:
        print(f"  {row.who}: {row.seconds:.2f} s ({row.low:.2f}-{row.high:.2f}), {row.peak_mb:.0f} MB", flush=True)
    return result


def python(script, *arguments):
    return [sys.executable, HERE / script, *arguments]


def ours(*arguments):
    return [data.BINARY, *arguments]


def clear(path):
    return lambda: (data.remove(path), path.parent.mkdir(parents=True, exist_ok=True))


def copy_of(source, target):
    """A fresh copy of a table or lake before each run."""
    def prepare():
        data.remove(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target)
    return prepare


def same(what, *fingerprints):
    if any(f != fingerprints[0] for f in fingerprints):
        raise SystemExit(f"{what}: the results differ, so there is nothing to compare:\n" + "\n".join(map(str, fingerprints)))


def lake_fingerprint(lake):
    """silver.observation of a lake as the flat row."""
    from deltalake import DeltaTable
    connection = rows.connect()
    connection.register("t", DeltaTable(str(lake / "silver/observation")).to_pyarrow_table())
    connection.sql("""CREATE VIEW flat AS SELECT * RENAME (systolic_pressure_value AS systolic_value, diastolic_pressure_value AS diastolic_value,
      systolic_interpretation AS systolic_display, systolic_interpretation_code AS systolic_interpretation) FROM t""")
    return rows.fingerprint("flat", connection)


def task_view(args):
    """NDJSON to 13 flat columns in zstd Parquet, 500,000 readings"""
    source, mine, theirs = data.observations(), OUT / "view.parquet", OUT / "duckdb.parquet"
    result = race(contest("vitalake view run", ours("view", "run", HERE / "view/view.json", source, "--format", "parquet", "-o", mine), args.runs, clear(mine)),
                  contest("DuckDB 1.5.5 read_json, explicit columns", python("view/duckdb_parquet.py", source, theirs), args.runs, clear(theirs)))
    same("view", rows.fingerprint(f"'{mine}'"), rows.fingerprint(f"'{theirs}'"))
    return result


def task_delta(args):
    """NDJSON to the same columns in a new Delta table, 500,000 readings"""
    source, mine, theirs, spark = data.observations(), OUT / "delta-vitalake", OUT / "delta-duckdb", OUT / "delta-spark"
    result = race(contest("vitalake view run --format delta", ours("view", "run", HERE / "view/view.json", source, "--format", "delta", "-o", mine), args.runs, clear(mine)),
                  contest("DuckDB read_json + deltalake write", python("delta/duckdb_deltalake.py", source, theirs), args.runs, clear(theirs)),
                  contest("Spark + Delta, local", python("delta/spark.py", source, spark), 1, clear(spark), "one run, cold"))
    same("delta", *map(rows.fingerprint_delta, (mine, theirs, spark)))
    return result


def task_batch(args):
    """Whole batch run (bronze, validation, silver.observation, silver.vital_sign, gold, ledger) against the rival's silver alone with cp and sync"""
    source, lake, theirs = data.observations(), OUT / "batch-lake", OUT / "batch-rival"
    result = race(contest("vitalake ingest", ours("--lake", lake, "ingest", source), args.runs, clear(lake)),
                  contest("cp + sync, DuckDB read_json + deltalake write", python("batch/copy_duckdb_deltalake.py", source, theirs), args.runs, clear(theirs)))
    same("batch", lake_fingerprint(lake), rows.fingerprint_delta(theirs / "silver"))
    return result


def task_batch_large(args):
    """Whole batch run over ten times the input"""
    args.runs = 1
    lake = OUT / "batch-lake"
    return race(contest("vitalake ingest, 5,000,000 readings", ours("--lake", lake, "ingest", data.observations(5_000_000)), 1, clear(lake)))


def without_indexes(source, target):
    """A fresh copy of a lake that knows nothing of its files' keys, as when another engine has just written them."""
    prepare = copy_of(source, target)
    return lambda: (prepare(), data.remove(target / "_vitalake/index"))


def upsert(args, title, millions, changed, new, runs):
    """Contestants on tables of the same readings. Like with like are the upsert of silver.observation by itself
    (bench_upsert: from rows that lie ready in files to the commit; 50 columns) and the rival's merge (the same; 13 columns);
    the whole command also parses, judges, keeps bronze, upserts silver.vital_sign (two rows a reading), gold and ledger.
    The rival also merges the very rows of all 50 columns into a copy of silver.observation (of half a million)."""
    updates = data.updates(changed, new)
    whole, lake, table = OUT / f"upsert-whole-{millions}", OUT / f"upsert-lake-{millions}", OUT / f"upsert-rival-{millions}"
    result = race(contest(f"vitalake, upsert alone, {title}", [data.BENCH_UPSERT, "merge", lake, data.staged(updates)], runs,
                      copy_of(data.lake(millions), lake), "ready-made rows, 50 columns"),
                  contest(f"the same, key indexes to be made, {title}", [data.BENCH_UPSERT, "merge", lake, data.staged(updates)], runs,
                      without_indexes(data.lake(millions), lake), "ready-made rows, 50 columns"),
                  contest(f"deltalake merge, {title}", python("upsert/deltalake_merge.py", table, data.flat_parquet(updates)), runs,
                      copy_of(data.rival_table(millions), table), "ready-made rows, 13 columns"),
                  contest(f"vitalake ingest, {title}", ours("--lake", whole, "ingest", updates), runs,
                      copy_of(data.lake(millions), whole), "whole command"))
    if not millions:
        wide = OUT / "upsert-wide"
        copied = wide / "silver/observation"
        result += race(contest(f"deltalake merge of the same 50 columns, {title}", python("upsert/deltalake_merge.py", copied, data.silver_rows(updates)), runs,
                           copy_of(data.lake() / "silver/observation", copied), "ready-made rows, 50 columns"))
        same(f"{title}, 50 columns", lake_fingerprint(lake), lake_fingerprint(wide))
    for row in result:
        row.base = result[0].seconds  # of these contestants, not of the whole table
    same(f"{title}, alone and in the whole command", lake_fingerprint(lake), lake_fingerprint(whole))
    mine, theirs = lake_fingerprint(lake), rows.fingerprint_delta(table)
    columns = ("row_count", "ids", "amended") if millions else mine.keys()
    same(title, {c: mine[c] for c in columns}, {c: theirs[c] for c in columns})
    return result


def task_upsert(args):
    """Upsert, change feed on"""
    return upsert(args, "25,000 corrections + 25,000 new into 500,000", None, 25_000, 25_000, args.runs)


def task_upsert_large(args):
    """Upsert into 10 million rows, change feed on"""
    return (upsert(args, "25,000 corrections + 25,000 new into 10 M", 10, 25_000, 25_000, args.runs) +
            upsert(args, "one row into 10 M", 10, 1, 0, args.runs))


def empty_gold(source, target):
    """A copy of a lake with new, empty gold tables before each run."""
    def prepare():
        copy_of(source, target)()
        data.remove(target / "gold")
        data.vitalake("--lake", target, "init")
    return prepare


def same_gold(what, lake, theirs):
    """Every gold table of a lake, row for row, against the rival's Parquet of that model."""
    from deltalake import DeltaTable
    connection = rows.connect()
    for file in sorted(theirs.glob("*.parquet")):
        connection.register("t", DeltaTable(str(lake / "gold" / file.stem)).to_pyarrow_table())
        names = ", ".join(f'"{column}"' for column in connection.sql("SELECT * FROM t LIMIT 0").columns)
        for left, right in (("t", f"'{file}'"), (f"'{file}'", "t")):
            (count,) = connection.sql(f"SELECT count(*) FROM (SELECT {names} FROM {left} EXCEPT ALL SELECT {names} FROM {right})").fetchone()
            if count:
                raise SystemExit(f"{what}: {count} rows of {file.stem} differ, so there is nothing to compare")


def task_gold(args):
    """Gold: six tables (the rival: four) after 1,000 corrected readings of random patients, against computing them whole"""
    lake, theirs, size = OUT / "gold-lake", OUT / "gold-rival", f"{args.rows:,} readings"
    result = []
    for kind, title in (("day", "refresh, corrections of one day"), ("random", "refresh, corrections of any day")):
        lagging = data.lagging_lake(args.rows, kind)
        result.extend(race(contest(f"vitalake gold, {size}: {title}", ours("--lake", lake, "gold"), args.runs, copy_of(lagging, lake))))
        race(contest(f"DuckDB for comparison, {kind}", python("gold/duckdb_models.py", lake, theirs), 1, clear(theirs)))
        same_gold(f"gold after corrections ({kind})", lake, theirs)
    result.extend(race(contest(f"vitalake gold --full, {size}: computed whole and compared", ours("--lake", lake, "gold", "--full"), args.runs,
                               copy_of(lagging, lake))))
    same_gold("gold in full", lake, theirs)
    result.extend(race(contest(f"vitalake gold, {size}: first time", ours("--lake", lake, "gold"), args.runs, empty_gold(lagging, lake))))
    same_gold("gold for the first time", lake, theirs)
    result.extend(race(contest("DuckDB 1.5.5, the same SQL over the silver Parquet", python("gold/duckdb_models.py", lake, theirs), args.runs,
                          clear(theirs), "Parquet files, no change feed, no commit")))
    return result


def task_stream(args):
    """Drain of 500,000 preloaded messages of 1.7 KB; Vitalake exactly once into bronze and both silver tables, the rivals into one table"""
    sys.path.insert(0, str(data.ROOT / "tests/judges"))
    from kafka_broker import Broker
    count, source = 500_000, data.observations()
    lake, plain, spark = OUT / "stream-lake", OUT / "stream-python", OUT / "stream-spark"
    data.remove(OUT / "broker")
    broker = Broker(OUT / "broker").start()
    try:
        topic = broker.create("drain", 4)
        with open(source) as lines:
            broker.send(topic, ((i % 4, line.rstrip("\n")) for i, line in enumerate(lines)))
        turns = iter(range(1_000_000))

        def ours_from(what):  # a group of its own each time: the broker remembers the one before for a while
            return lambda: [sys.executable, HERE / "stream/drain.py", data.BINARY, lake, count, what.format(next(turns))]

        kafka = f'kafka: {{{{brokers: "{broker.address}", topic: {topic}, group: "drain{{}}"}}}}'
        result = race(contest("vitalake run, Kafka", ours_from(kafka), args.runs, clear(lake), "from the start of the process"),
                      contest("Python: confluent-kafka, DuckDB, deltalake", lambda: python("stream/python_consumer.py", broker.address, topic, count, plain, next(turns)), args.runs, clear(plain)),
                      contest("Spark Structured Streaming, availableNow", python("stream/spark.py", broker.address, topic, count, spark), 1, clear(spark), "one run, cold"))
        same("stream", lake_fingerprint(lake), rows.fingerprint_delta(plain), rows.fingerprint_delta(spark))
    finally:
        broker.stop()
    result += race(contest("vitalake run, file source", ours_from(f"file: {{{{path: {source}}}}}"), args.runs, clear(lake), "the same without Kafka"))
    same("stream from a file", lake_fingerprint(lake), rows.fingerprint_delta(plain))
    for row in result:
        row.note = f"{count / row.seconds:,.0f} messages/s" + (f"; {row.note}" if row.note else "")
    return result


def task_latency(args):
    """A reading's way, 2,000 a second for a minute on a lake of 100,000 patients: to an alert, to silver, to gold; seconds since the broker had it"""
    folder = OUT / "latency"
    data.remove(folder)
    folder.mkdir()
    result = [Answers(one) for one in measure(python("stream/latency.py", data.BINARY, folder / "lake", 100_000, 2_000, 60, folder)).info["results"]]
    for row in result:
        row.base = row.seconds  # there is no rival
    args.runs = 1
    return result


class Answers(Row):
    """One kind of request: the median of its times."""

    def __init__(self, told):
        self.who, self.note, self.peak_mb = told["who"], told["note"], told["peak_mb"]
        seconds = told["seconds"]
        self.seconds, self.low, self.high = statistics.median(seconds), min(seconds), max(seconds)
        print(f"  {self.who}: {self.seconds:.4f} s ({self.low:.4f}-{self.high:.4f}); {self.note}", flush=True)


def answers(args, command):
    result = [Answers(one) for one in measure(command).info["results"]]
    for row in result:  # a rival stands behind ours of the same title
        title = row.who.split(": ", 1)[1]
        row.base = next(one.seconds for one in result if one.who.endswith(title))
    args.runs = 1
    return result


def serve(args, count):
    return answers(args, python("serve/serve.py", data.BINARY, data.serve_lake(count), count))


def task_serve(args):
    """What a running service answers: FHIR and probes over HTTP, the PostgreSQL protocol beside a PostgreSQL with indexes; seconds of one request"""
    return serve(args, 500_000)


def task_serve_large(args):
    """What a running service answers over 10 million readings of 100,000 patients; seconds of one request"""
    return serve(args, 10_000_000)


def task_pixel(args):
    """A critical reading's way to the screen: from its post to a painted row of the dashboard, beside 200 readings a second"""
    lake = OUT / "pixel-lake"
    data.remove(lake)
    return answers(args, python("serve/pixel.py", data.BINARY, lake))


def task_start(args):
    """Start on a lake"""
    lake = data.lake()
    return race(contest('vitalake sql "select 1"', ours("--lake", lake, "sql", "select 1"), max(args.runs, 5)))


TASKS = {name.removeprefix("task_"): function for name, function in list(globals().items()) if name.startswith("task_")}


def machine():
    cpu = subprocess.run("grep -m1 'model name' /proc/cpuinfo | cut -d: -f2; nproc; grep MemTotal /proc/meminfo",
                         shell=True, capture_output=True, text=True).stdout.split("\n")
    return f"{cpu[1].strip()} threads of{cpu[0].rstrip()}, {int(cpu[2].split()[1]) / 2**20:.0f} GiB"


def write_page(results):
    lines = ["# Benchmarks", "", "Made by `make bench` (`benchmarks/run.py`); not edited by hand.", "",
             "The results of all contestants are compared before anything is reported: counts, sums and a hash of the rows",
             "are equal, or the run ends with an error. Seconds are medians (lowest to highest); memory is the peak of the",
             "process tree. Vitalake's time is the whole process, or, where it says `alone`, its job; a rival's is its job without",
             "the start of Python or Java.", ""]
    for name, function in TASKS.items():
        if name not in results:
            continue
        found = results[name]
        first = found["rows"][0]["seconds"]
        lines += [f"## {function.__doc__}", "", f"{found['date']}, {found['machine']}, {found['runs']} run{'s' * (found['runs'] > 1)}.", "",
                  "| who | seconds | times Vitalake's | peak MB | |", "|---|---|---|---|---|"]
        for row in found["rows"]:
            median, low, high = (f"{row[name]:.{2 if row['seconds'] >= 0.1 else 4}f}" for name in ("seconds", "low", "high"))
            lines.append(f"| {row['who']} | {median} ({low}-{high}) | {row['seconds'] / row.get('base', first):.2f} "
                         f"| {row['peak_mb']:.0f} | {row['note']} |")
        lines.append("")
    PAGE.write_text("\n".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=TASKS, action="append")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--full", action="store_true", help="also the tasks named _large: 10 million rows and ten times the input (34 GB of disk)")
    parser.add_argument("--rows", type=int, default=500_000, help="readings under the task gold: 500,000 times a whole number")
    args = parser.parse_args()
    if args.rows % 500_000:
        parser.error("gold takes 500,000 rows, or a multiple")
    OUT.mkdir(parents=True, exist_ok=True)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in args.task or [name for name in TASKS if args.full or not name.endswith("_large")]:
        print(f"{name}: {TASKS[name].__doc__}", flush=True)
        own = copy.copy(args)  # a task says by its runs how often it measured
        results[name] = {"rows": [vars(row) for row in TASKS[name](own)], "runs": own.runs, "machine": machine(),
                         "date": datetime.date.today().isoformat()}
        RESULTS.write_text(json.dumps(results, indent=1))
        write_page(results)
    shutil.rmtree(OUT, ignore_errors=True)
    print(f"written: {PAGE.relative_to(data.ROOT)}")


if __name__ == "__main__":
    main()
