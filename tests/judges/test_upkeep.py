"""Tables kept in shape: three other engines read the same rows afterwards, and damage is found."""

import json
import os
import shutil
import signal
import subprocess
import time

import deltalake
import pyarrow as pa
import pyarrow.parquet
import pytest

import engines
import resources
from product import Lake, command, run, write

TABLE = "silver.observation"
LATER = {"meta": {"versionId": "2", "lastUpdated": "2026-02-01T00:00:00Z"}}


@pytest.fixture(scope="module")
def small_files(tmp_path_factory):
    """Ten runs of two readings each, and a correction."""
    folder = tmp_path_factory.mktemp("upkeep")
    lake = Lake(folder / "lake")
    for run_number in range(10):
        found = [resources.patient("p1"), *(resources.pressure(f"o{run_number}-{i}", 100 + i) for i in range(2))]
        lake.ingest(write(folder / f"{run_number}.json", resources.bundle(*found)))
    lake.ingest(write(folder / "later.json", resources.bundle(resources.pressure("o3-0", 181, status="amended", **LATER))))
    return lake


@pytest.fixture
def lake(small_files, tmp_path):
    copy = Lake(tmp_path / "lake")
    shutil.copytree(small_files.path, copy.path)  # keeps no times: every file is young
    return copy


def files(lake, table=TABLE):
    return lake.delta(table).file_uris()


def on_disk(lake, table=TABLE):
    return sorted(str(f.relative_to(lake.folder(table))) for f in lake.folder(table).rglob("*.parquet")
                  if "_delta_log" not in f.parts)


def age(lake, days):
    """Everything in the lake was written, and every commit made, so many days earlier."""
    for path in lake.path.rglob("*"):
        info = path.stat()
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns - days * 86_400_000_000_000))
    for commit in lake.path.glob("*/*/_delta_log/*.json"):
        shift_times(commit, days)


def shift_times(commit, days):
    kept = commit.stat()
    lines = [json.loads(line) for line in commit.read_text().splitlines()]
    for line in lines:
        if "remove" in line:
            line["remove"]["deletionTimestamp"] -= days * 86_400_000
    commit.write_text("".join(json.dumps(line) + "\n" for line in lines))
    os.utime(commit, ns=(kept.st_atime_ns, kept.st_mtime_ns))


def one(lake, *arguments, **kwargs):
    """The one row that a command gives."""
    (row,) = json.loads(lake.run(*arguments, "--format", "json", **kwargs).stdout)
    return row


def agree(lake, spark=None, table=TABLE):
    """The fingerprint that all engines give."""
    ours = engines.fingerprint(lake.select(f"SELECT * FROM {table}"))
    assert engines.fingerprint(engines.read_delta_rs(lake.folder(table))) == ours
    assert engines.fingerprint(engines.read_duckdb(lake.folder(table))) == ours
    if spark:
        assert engines.fingerprint(spark.read(lake.folder(table))) == ours
    return ours


def test_optimize_changes_no_row(lake, spark):
    before = agree(lake)
    assert len(files(lake)) > 5
    row = one(lake, "table", "optimize", TABLE)
    assert row["files_after"] == len(files(lake)) == 1
    assert row["files_replaced"] == row["files_before"]
    assert agree(lake, spark) == before
    # To followers of the change feed nothing happened.
    last = lake.delta(TABLE).version()
    assert lake.rows("table", "changes", TABLE, "--from", last).num_rows == 0
    assert spark.changes(lake.folder(TABLE), last).num_rows == 0
    # Nor to gold, which needs nothing but the changes.
    for table in json.loads(lake.run("gold", "--json").stdout)["tables"]:
        assert not table["full"], table
        assert table["rows_inserted"] + table["rows_updated"] + table["rows_deleted"] == 0, table
    # Again: nothing to do, no commit.
    assert one(lake, "table", "optimize", TABLE)["version"] == last
    lake.run("table", "verify", TABLE)


def test_time_travel_until_vacuum(lake, spark):
    last = lake.delta(TABLE).version()
    before = engines.fingerprint(lake.read(TABLE))
    lake.run("table", "optimize", TABLE)
    age(lake, 8)
    lake.run("gold")  # has read all changes now
    assert engines.fingerprint(lake.rows("table", "read", TABLE, "--version", last)) == before
    old = deltalake.DeltaTable(str(lake.folder(TABLE)), version=last)
    assert engines.fingerprint(old.to_pyarrow_table()) == before
    planned = json.loads(lake.run("table", "vacuum", TABLE, "--dry-run", "--format", "json").stdout)
    disk = on_disk(lake)
    assert {f["path"] for f in planned} < set(disk)
    row = one(lake, "table", "vacuum", TABLE)
    assert row["files_deleted"] == len(planned) > 5
    assert set(on_disk(lake)) == set(disk) - {f["path"] for f in planned}
    assert agree(lake, spark) == before
    lake.run("table", "verify", TABLE)
    lake.run("table", "read", TABLE, "--version", last, expect=1)
    refused = lake.run("table", "restore", TABLE, "--version", last - 1, "--rewind", expect=1).stderr
    assert "gone or cut short" in refused and ".parquet" in refused


def test_vacuum_deletes_what_delta_rs_would(lake):
    """Another engine's vacuum, asked what it would delete, names the same data files."""
    lake.run("table", "optimize", TABLE)
    age(lake, 8)
    lake.run("gold")
    theirs = set(lake.delta(TABLE).vacuum(dry_run=True))
    ours = {f["path"] for f in json.loads(
        lake.run("table", "vacuum", TABLE, "--dry-run", "--format", "json").stdout)}
    assert {p for p in ours if not p.startswith("_change_data")} == {p for p in theirs if not p.startswith("_change_data")}
    assert len(ours) > 5


def test_vacuum_keeps_what_is_young_and_what_gold_has_not_read(lake, tmp_path):
    lake.run("table", "optimize", TABLE)
    assert one(lake, "table", "vacuum", TABLE)["files_deleted"] == 0  # within 168 h
    age(lake, 8)
    late = write(tmp_path / "late.json", resources.bundle(resources.pressure("o4-0", 150, **LATER)))
    lake.ingest(late)
    # Gold as it was before that run: its position is behind the correction.
    gold = [t for t in lake.tables() if t.startswith("gold.")]
    for table in gold:
        (lake.folder(table) / "_delta_log" / f"{lake.delta(table).version():020}.json").unlink()
        for crc in (lake.folder(table) / "_delta_log").glob("*.crc"):
            crc.unlink()
    age(lake, 8)
    done = lake.run("table", "vacuum", TABLE, "--dry-run", "--format", "json")
    assert "stay for gold." in done.stderr and "vitalake gold" in done.stderr
    kept = set(on_disk(lake)) - {f["path"] for f in json.loads(done.stdout)}
    assert any(p.startswith("_change_data") for p in kept)
    lake.run("table", "vacuum", TABLE)
    assert kept == set(on_disk(lake))
    lake.run("gold")
    assert lake.value("SELECT max(last_systolic_pressure) AS m FROM gold.patient_observations") is not None


def test_vacuum_names_the_topic_that_nobody_publishes_any_more(lake, tmp_path):
    lake.ingest(write(tmp_path / "late.json", resources.bundle(resources.pressure("o4-0", 150, **LATER))))
    age(lake, 8)
    left = write(lake.path / "_vitalake/outbound/old-topic.json", {TABLE: 1})
    held = lake.run("table", "vacuum", TABLE, "--dry-run", "--format", "json")
    assert "stay for outbound old-topic" in held.stderr and "deleting _vitalake/outbound/old-topic.json" in held.stderr
    left.unlink()
    free = lake.run("table", "vacuum", TABLE, "--dry-run", "--format", "json")
    assert "old-topic" not in free.stderr and "stay for" not in free.stderr
    assert len(json.loads(free.stdout)) > len(json.loads(held.stdout))


def test_restore_goes_back_in_all_engines(lake, spark):
    last = lake.delta(TABLE).version()
    then = engines.fingerprint(deltalake.DeltaTable(str(lake.folder(TABLE)), version=last - 1).to_pyarrow_table())
    refused = lake.run("table", "restore", TABLE, "--version", last - 1, expect=1).stderr
    assert "--rewind" in refused and "batch/" in refused
    assert lake.delta(TABLE).version() == last
    row = one(lake, "table", "restore", TABLE, "--version", last - 1, "--rewind")
    assert row["version"] == last + 1 and row["positions_rewound"] == 1
    assert agree(lake, spark) == then
    # The feed of the restore takes exactly the rows from what they were to what they are.
    changes = spark.changes(lake.folder(TABLE), last + 1)
    kinds = changes.column("_change_type").to_pylist()
    assert set(kinds) == {"insert", "delete"}
    lake.run("gold")
    incremental = engines.fingerprint(lake.read("gold.patient_observations"))
    lake.run("gold", "--full")
    assert engines.fingerprint(lake.read("gold.patient_observations")) == incremental
    lake.run("table", "verify", TABLE)
    one(lake, "table", "restore", TABLE, "--version", last, "--rewind")
    assert lake.read(TABLE).num_rows == deltalake.DeltaTable(str(lake.folder(TABLE)), version=last).to_pyarrow_table().num_rows


def test_checkpoint_is_read_by_others(lake, spark):
    before = agree(lake)
    version = one(lake, "table", "checkpoint", TABLE)["version"]
    log = lake.folder(TABLE) / "_delta_log"
    assert (log / f"{version:020}.checkpoint.parquet").exists()
    for commit in log.glob("*.json"):
        if int(commit.stem) < version:
            commit.unlink()
    assert agree(lake, spark) == before


def test_every_table_is_sound(lake):
    for table in lake.tables():
        assert "is sound" in lake.run("table", "verify", table).stdout, table


def cut(lake):
    path = lake.folder(TABLE) / os.path.basename(files(lake)[0])
    path.write_bytes(path.read_bytes()[:-100])
    return "file", "bytes, the log says"


def missing(lake):
    (lake.folder(TABLE) / os.path.basename(files(lake)[0])).unlink()
    return "file", "missing"


def overwritten(lake):
    path = lake.folder(TABLE) / os.path.basename(files(lake)[0])
    content = bytearray(path.read_bytes())
    content[30:400] = b"\x55" * 370
    path.write_bytes(content)
    return "file", "cannot be read"


def change_log(lake, suffix, old, new):
    for path in sorted((lake.folder(TABLE) / "_delta_log").glob(f"*{suffix}")):
        text = path.read_text()
        if old(text):
            path.write_text(new(text))
            return
    raise AssertionError("nothing to change")


def wrong_checksum(lake):
    change_log(lake, ".crc", lambda t: '"numFiles":3' in t, lambda t: t.replace('"numFiles":3', '"numFiles":4'))
    return "checksum", "numFiles is 4"


def wrong_stats(lake):
    change_log(lake, ".json", lambda t: r'\"patient_id\":\"p1\"' in t,
               lambda t: t.replace(r'\"maxValues\":{\"patient_id\":\"p1\"', r'\"maxValues\":{\"patient_id\":\"a\"', 1))
    return "stats", "maxValues of patient_id is a"


def wrong_rows(lake):
    change_log(lake, ".json", lambda t: r'\"numRecords\":2' in t,
               lambda t: t.replace(r'\"numRecords\":2', r'\"numRecords\":7', 1))
    return "file", "the log says 7"


def duplicate_key(lake):
    deltalake.write_deltalake(str(lake.folder(TABLE)), lake.read(TABLE).slice(0, 1), mode="append")
    return "key", "2 rows have it"


def lost_commit(lake):
    (lake.folder(TABLE) / "_delta_log" / f"{3:020}.json").unlink()
    return "log", "missing"


@pytest.mark.parametrize("damage", [cut, missing, overwritten, wrong_checksum, wrong_stats, wrong_rows, duplicate_key,
                                    lost_commit])
def test_damage_is_found(lake, damage):
    check, words = damage(lake)
    done = lake.run("table", "verify", TABLE, "--json", expect=1)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert any(f["check"] == check and words in f["problem"] for f in found), found
    assert "damaged" in done.stderr


def test_any_delta_table(tmp_path, spark):
    """A partitioned table that another engine made."""
    folder = tmp_path / "made by others"
    for number in range(6):
        rows = pa.table({"day": ["1", "2", None], "id": [f"{number}-{i}" for i in range(3)],
                         "value": pa.array([number, None, 3.5], pa.float64()),
                         "tags": pa.array([["a"], None, []], pa.list_(pa.string()))})
        deltalake.write_deltalake(str(folder), rows, mode="append", partition_by=["day"])
    readers = (engines.read_delta_rs, engines.read_duckdb, spark.read)
    before = [engines.fingerprint(reader(folder)) for reader in readers]
    run("table", "verify", folder)
    (row,) = json.loads(run("table", "optimize", folder, "--format", "json").stdout)
    assert row["files_before"] == 18 and row["files_after"] == 3
    assert [engines.fingerprint(reader(folder)) for reader in readers] == before
    run("table", "verify", folder)
    run("table", "checkpoint", folder)
    (row,) = json.loads(run("table", "restore", folder, "--version", 3, "--format", "json").stdout)
    assert row["version"] == 9  # after one commit a partition
    assert engines.read_delta_rs(folder).num_rows == spark.read(folder).num_rows == 12
    run("table", "vacuum", folder)
    run("table", "verify", folder)
    # Nothing of ours stays beside the data.
    assert not (folder / "_vitalake").exists() and not (tmp_path / "_vitalake").exists()


def test_beside_runs_that_correct(lake, tmp_path):
    """Optimize after optimize while runs append and correct: every record is there, in its last version."""
    def version(name, number):
        meta = {"versionId": str(number), "lastUpdated": f"2026-03-{number:02}T00:00:00Z"}
        return resources.pressure(name, 100 + number, status="amended", meta=meta)
    batches = [write(tmp_path / f"batch{n}.json", resources.bundle(
        *(version(f"o{i}-1", n) for i in range(10)), resources.pressure(f"fresh{n}", 130))) for n in range(2, 12)]
    before = lake.read(TABLE).num_rows
    optimizer = subprocess.Popen(["sh", "-c", 'while :; do "$@" || exit 1; done', "sh",
                                  *command("--lake", lake.path, "table", "optimize", TABLE)],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for batch in batches:
        lake.ingest(batch)
    assert optimizer.poll() is None, optimizer.stderr.read()
    optimizer.terminate()
    optimizer.wait()
    lake.run("table", "optimize", TABLE)
    rows = {r["id"]: r for r in lake.read(TABLE).to_pylist()}
    assert len(rows) == lake.read(TABLE).num_rows == before + len(batches)
    assert {rows[f"o{i}-1"]["systolic_pressure_value"] for i in range(10)} == {111.0}
    operations = [entry["operation"] for entry in lake.delta(TABLE).history()]
    assert operations.count("OPTIMIZE") > 3 and operations.count("MERGE") >= len(batches)
    lake.run("table", "verify", TABLE)


def test_runs_do_not_pile_up_small_files(small_files, tmp_path):
    lake = Lake(tmp_path / "lake")
    shutil.copytree(small_files.path, lake.path)
    before = len(files(lake))
    more = write(tmp_path / "more.json", resources.bundle(resources.pressure("more", 120)))
    done = lake.ingest(more, env={"VITALAKE_MAINTAIN_SMALL_FILES": str(before)})
    assert f"small files of {TABLE} became 1" in done.stderr
    assert len(files(lake)) == 1
    # One more stays within what is allowed.
    more = write(tmp_path / "evenmore.json", resources.bundle(resources.pressure("evenmore", 120)))
    assert "became" not in lake.ingest(more).stderr
    assert len(files(lake)) == 2


def test_leftovers_of_a_killed_run_go(lake, tmp_path):
    """What SIGKILL leaves in staging and of spilled queries is gone after the next run."""
    scratch = lake.path / "_vitalake"
    many = write(tmp_path / "many.json", resources.bundle(*(resources.pressure(f"m{i}", 120) for i in range(3000))))
    deadline = time.monotonic() + 60
    left = []
    while not left and time.monotonic() < deadline:
        process = subprocess.Popen(command("--lake", lake.path, "ingest", many), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        while process.poll() is None and not left:
            left = [p for p in (scratch / "staging").glob("*-*-*-*-*-*") if p.is_dir()]
        process.send_signal(signal.SIGKILL)
        process.wait()
        left = [p for p in left if p.exists()]
    assert left, "no run was caught at work"
    assert list(scratch.glob("spill-*"))
    lake.run("gold")
    assert not [p for p in left if p.exists()]
    assert not list(scratch.glob("spill-*"))
