"""Every table reads the same in three other engines, which then write to it too."""

import shutil

import deltalake
import pyarrow as pa
import pytest

import engines
import resources
from product import DATA, Lake, write

FILLED = ["silver.patient", "silver.observation", "silver.vital_sign", "gold.patient_observations", "gold.latest_vital",
          "gold.vital_daily", "gold.bp_daily", "ops.ledger", "ops.issue", "ops.quarantine"]
CHANGING = ["silver.patient", "silver.observation", "silver.vital_sign", "gold.patient_observations"]


@pytest.fixture(scope="module")
def lake(tmp_path_factory, few_files):
    """Several runs: first loads, corrections, a retraction, a bad record."""
    folder = tmp_path_factory.mktemp("engines")
    lake = Lake(folder / "lake")
    lake.ingest(*few_files)
    lake.ingest(*sorted((DATA / "hl7-r4-examples").glob("Observation-b*.json")),
                *sorted((DATA / "hl7-r4-examples").glob("Patient-p*.json")))
    first = [resources.patient("p1"), *(resources.pressure(f"o{i}", 100 + i) for i in range(40))]
    lake.ingest(write(folder / "first.json", resources.bundle(*first)))
    later = {"meta": {"versionId": "2", "lastUpdated": "2026-02-01T00:00:00Z"}}
    second = [resources.patient("p1", gender="male", **later), resources.pressure("o3", 181, status="amended", **later),
              resources.pressure("o4", status="entered-in-error", **later), resources.pressure("new", 133),
              resources.pressure("bad", -5)]
    lake.ingest(write(folder / "second.json", resources.bundle(*second)))
    return lake


def test_the_tables_are_there(lake):
    assert set(FILLED) <= set(lake.tables())
    for table in FILLED:
        assert lake.read(table).num_rows > 0, table


def test_delta_rs_reads_the_same(lake):
    for table in lake.tables():
        ours = engines.fingerprint(lake.select(f"SELECT * FROM {table}"))
        assert engines.fingerprint(engines.read_delta_rs(lake.folder(table))) == ours, table


def test_duckdb_reads_the_same(lake):
    for table in lake.tables():
        ours = engines.fingerprint(lake.select(f"SELECT * FROM {table}"))
        assert engines.fingerprint(engines.read_duckdb(lake.folder(table))) == ours, table


def test_spark_reads_the_same(lake, spark):
    for table in lake.tables():
        ours = engines.fingerprint(lake.select(f"SELECT * FROM {table}"))
        assert engines.fingerprint(spark.read(lake.folder(table))) == ours, table


def test_old_versions_read_the_same(lake):
    table = "silver.observation"
    last = lake.delta(table).version()
    assert last >= 3
    for version in range(last + 1):
        theirs = deltalake.DeltaTable(str(lake.folder(table)), version=version).to_pyarrow_table()
        ours = lake.rows("table", "read", table, "--version", version)
        assert engines.fingerprint(ours) == engines.fingerprint(theirs), version
        counted = lake.value(f"SELECT count(*) AS n FROM {table} AT (VERSION => {version})")
        assert counted == theirs.num_rows


@pytest.mark.parametrize("table", CHANGING)
def test_change_feeds_agree(lake, spark, table):
    """The same changes, with kind and version, in the product, delta-rs and Spark."""
    def comparable(changes):
        return engines.fingerprint(changes.drop_columns(["_commit_timestamp"]))
    ours = lake.rows("table", "changes", table, "--from", 0)
    kinds = set(ours.column("_change_type").to_pylist())
    assert kinds == {"insert", "update_preimage", "update_postimage"}
    assert comparable(engines.changes_delta_rs(lake.folder(table))) == comparable(ours)
    assert comparable(spark.changes(lake.folder(table))) == comparable(ours)


def test_the_change_feed_adds_up(lake):
    """Inserts and updates replayed over nothing give the table."""
    for table, key in (("silver.patient", ("id_space", "id")), ("silver.observation", ("id_space", "id"))):
        rows = {}
        changes = engines.changes_delta_rs(lake.folder(table)).to_pylist()
        for change in sorted(changes, key=lambda c: c["_commit_version"]):
            kind = change["_change_type"]
            values = {k: v for k, v in change.items() if not k.startswith("_")}
            name = tuple(change[k] for k in key)
            if kind in ("insert", "update_postimage"):
                rows[name] = values
        now = {tuple(row[k] for k in key): row for row in lake.read(table).to_pylist()}
        assert rows == now, table


@pytest.fixture
def copy(lake, tmp_path):
    shutil.copytree(lake.path, tmp_path / "lake")
    return Lake(tmp_path / "lake")


def read_back(copy, table, before, added):
    """The product sees the rows the other engine wrote, and reads what that engine reads."""
    assert copy.value(f"SELECT count(*) AS n FROM {table}") == before + added, table
    theirs = engines.fingerprint(engines.read_delta_rs(copy.folder(table)))
    assert engines.fingerprint(copy.select(f"SELECT * FROM {table}")) == theirs, table


def test_delta_rs_appends(copy):
    for table in FILLED:
        rows = copy.read(table)
        added = rows.slice(0, 3)
        deltalake.write_deltalake(str(copy.folder(table)), added, mode="append")
        read_back(copy, table, rows.num_rows, added.num_rows)


def test_spark_appends(copy, spark):
    for table in FILLED:
        before = copy.read(table).num_rows
        spark.append(copy.folder(table), 3)
        read_back(copy, table, before, min(3, before))


def test_the_product_goes_on_after_another_writer(copy, tmp_path):
    """A row delta-rs put into silver is found by its key when a newer version comes in."""
    rows = copy.read("silver.observation")
    row = {**rows.filter(pa.compute.equal(rows["id"], "o7")).to_pylist()[0], "id": "foreign", "resource_id": "foreign"}
    deltalake.write_deltalake(str(copy.folder("silver.observation")), pa.Table.from_pylist([row], rows.schema), mode="append")
    newer = resources.pressure("foreign", 166, meta={"versionId": "9", "lastUpdated": "2026-03-01T00:00:00Z"})
    copy.ingest(write(tmp_path / "newer.json", newer))
    found = [r for r in copy.read("silver.observation").to_pylist() if r["id"] == "foreign"]
    assert [r["systolic_pressure_value"] for r in found] == [166.0]


def test_full_synthea_reads_the_same(synthea_lake):
    for table in ("silver.patient", "silver.observation", "silver.vital_sign"):
        ours = engines.fingerprint(synthea_lake.select(f"SELECT * FROM {table}"))
        assert engines.fingerprint(engines.read_delta_rs(synthea_lake.folder(table))) == ours, table
        assert engines.fingerprint(engines.read_duckdb(synthea_lake.folder(table))) == ours, table
