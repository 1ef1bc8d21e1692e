"""What a user types, as the documentation promises it: output, formats, exit codes."""

import csv
import datetime
import io
import json
import subprocess
import time

import deltalake
import pyarrow.parquet
import pytest

import resources
from product import BINARY, Lake, run, write

TABLES = {"bronze.observation_stream", "silver.patient", "silver.observation", "silver.vital_sign", "gold.patient_observations",
          "gold.latest_vital", "gold.vital_daily", "gold.bp_daily", "gold.news2", "gold.alert_daily", "ops.quarantine", "ops.issue", "ops.ledger", "ops.alert", "ops.action"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    lake = Lake(folder / "lake")
    lake.ingest(write(folder / "a.json", resources.bundle(resources.patient(), resources.pressure("a", 118), resources.pressure("b", 127))))
    lake.ingest(write(folder / "b.json", resources.bundle(resources.pressure("c", 133), resources.pressure("bad", -1))))
    return lake


def test_init_makes_every_table_and_is_harmless_again(lake):
    lake.run("init")
    assert TABLES <= set(lake.tables())
    for table in TABLES:
        assert lake.read(table).num_rows == 0
    versions = lake.versions()
    lake.run("init")
    assert lake.versions() == versions


def test_tables_are_for_readers_1_and_writers_7(filled):
    for table in TABLES:
        protocol = filled.delta(table).protocol()
        assert (protocol.min_reader_version, protocol.min_writer_version) == (1, 7), table
        assert set(protocol.writer_features) == {"appendOnly", "invariants", "changeDataFeed"}, table
        if table.startswith("silver."):
            assert filled.delta(table).metadata().configuration["delta.enableChangeDataFeed"] == "true"


def test_every_format_says_the_same(filled, tmp_path):
    query = "SELECT id, systolic_pressure_value AS s FROM silver.observation ORDER BY id"
    wanted = [("a", 118.0), ("b", 127.0), ("c", 133.0)]
    def pairs(rows):
        return [(row["id"], float(row["s"])) for row in rows]
    assert pairs(json.loads(filled.run("sql", query, "--format", "json").stdout)) == wanted
    assert pairs(map(json.loads, filled.run("sql", query, "--format", "ndjson").stdout.splitlines())) == wanted
    assert pairs(csv.DictReader(io.StringIO(filled.run("sql", query, "--format", "csv").stdout))) == wanted
    filled.run("sql", query, "--format", "parquet", "-o", tmp_path / "rows.parquet")
    assert pairs(pyarrow.parquet.read_table(tmp_path / "rows.parquet").to_pylist()) == wanted
    text = filled.run("sql", query).stdout
    assert all(name in text and f"{value:.0f}" in text for name, value in wanted)


def test_options_before_or_after_the_command(filled):
    for arguments in (("--lake", filled.path, "sql", "SELECT 1 AS one", "--format", "csv"),
                      ("sql", "SELECT 1 AS one", "--format", "csv", "--lake", filled.path)):
        assert run(*arguments).stdout.split() == ["one", "1"]
    assert run("sql", "SELECT 1 AS one", "--format", "csv", env={"VITALAKE_LAKE": str(filled.path)}).stdout.split() == ["one", "1"]


def test_a_wrong_statement_fails_with_1(filled):
    done = filled.run("sql", "SELECT nonsense FROM silver.patient", expect=1)
    assert "nonsense" in done.stderr and done.stdout == ""


def test_a_wrong_table_names_the_nearest(filled):
    done = filled.run("table", "show", "silver.patiant", expect=(1, 2))
    assert "silver.patient" in done.stderr


def test_time_travel(filled):
    assert filled.value("SELECT count(*) AS n FROM silver.observation") == 3
    counts = [filled.value(f"SELECT count(*) AS n FROM silver.observation AT (VERSION => {v})")
              for v in range(filled.delta("silver.observation").version() + 1)]
    assert counts == sorted(counts) and counts[0] == 0 and set(counts) == {0, 2, 3}


def test_history_tells_what_each_commit_did(filled):
    rows = json.loads(filled.run("table", "history", "silver.observation", "--format", "json").stdout)
    versions = sorted(int(row["version"]) for row in rows)
    assert versions == list(range(filled.delta("silver.observation").version() + 1))
    theirs = {h["version"]: h["operation"] for h in filled.delta("silver.observation").history()}
    assert {int(row["version"]): row["operation"] for row in rows} == theirs


def test_table_list_and_show(filled):
    rows = json.loads(filled.run("table", "list", "--format", "json").stdout)
    assert TABLES <= {value for row in rows for value in row.values() if isinstance(value, str)}
    shown = filled.run("table", "show", "silver.observation").stdout
    assert "systolic_pressure_value" in shown and "double" in shown.lower()


def test_table_commands_take_any_delta_table(filled, tmp_path):
    import deltalake
    import pyarrow as pa
    deltalake.write_deltalake(str(tmp_path / "other"), pa.table({"a": [1, 2], "b": ["x", None]}))
    rows = json.loads(run("table", "read", tmp_path / "other", "--format", "json").stdout)
    assert sorted((row["a"], row["b"]) for row in rows) == [(1, "x"), (2, None)]


def test_the_ledger_command(filled):
    rows = json.loads(filled.run("ledger", "--format", "json").stdout)
    assert sorted(int(row["received"]) for row in rows) == [2, 3]


def test_ingest_ends_with_one_json_object(lake, tmp_path):
    done = lake.run("--json", "ingest", write(tmp_path / "a.json", resources.bundle(resources.patient(), resources.pressure())))
    summary = json.loads(done.stdout)
    assert isinstance(summary, dict) and "run" in summary


def test_generate_is_deterministic(tmp_path):
    def made(kind, name, *more):
        run("generate", kind, 200, "--to", tmp_path / name, *more)
        return (tmp_path / name).read_bytes()
    for kind, resource in (("patients", "Patient"), ("observations", "Observation")):
        first = made(kind, "1.ndjson", "--seed", 5)
        assert first == made(kind, "2.ndjson", "--seed", 5) != made(kind, "3.ndjson", "--seed", 6)
        records = [json.loads(line) for line in first.splitlines()]
        assert len(records) == 200 and {r["resourceType"] for r in records} == {resource}
        assert len({r["id"] for r in records}) == 200


def test_generated_readings_come_in(lake, tmp_path):
    run("generate", "patients", 20, "--to", tmp_path / "patients.ndjson")
    run("generate", "observations", 500, "--patients", tmp_path / "patients.ndjson", "--to", tmp_path / "observations.ndjson")
    lake.ingest(tmp_path / "patients.ndjson", tmp_path / "observations.ndjson", "--strict")
    counts = lake.counts()
    assert (counts["received"], counts["written"]) == (520, 520)
    known = {r["id"] for r in lake.read("silver.patient").to_pylist()}
    assert {r["patient_id"] for r in lake.read("silver.observation").to_pylist()} <= known


def test_view_run_needs_no_lake(tmp_path):
    view = {"resourceType": "https://sql-on-fhir.org/ig/StructureDefinition/ViewDefinition", "resource": "Patient", "status": "active",
            "name": "names", "select": [{"column": [{"name": "id", "path": "id"}, {"name": "family", "path": "name.family"}]}]}
    definition = write(tmp_path / "view.json", view)
    source = write(tmp_path / "in.ndjson", "\n".join(json.dumps(resources.patient(f"p{i}")) for i in range(3)))
    done = run("view", "run", definition, source, "--format", "ndjson", cwd=tmp_path)
    assert sorted(map(str, map(json.loads, done.stdout.splitlines()))) == [str({"id": f"p{i}", "family": "Doe"}) for i in range(3)]
    run("view", "check", definition)
    wrong = write(tmp_path / "wrong.json", {**view, "select": [{"column": [{"name": "id", "path": "id.."}]}]})
    assert "id.." in run("view", "check", wrong, expect=(1, 2)).stderr
    assert not (tmp_path / "lake").exists()


def test_view_run_makes_a_delta_table(tmp_path):
    columns = [{"name": "id", "path": "id", "type": "id"}, {"name": "born", "path": "birthDate", "tag": [{"name": "ansi/type", "value": "DATE"}]},
               {"name": "active", "path": "active", "type": "boolean"}]
    definition = write(tmp_path / "view.json", {"resourceType": "ViewDefinition", "resource": "Patient", "name": "people", "select": [{"column": columns}]})
    people = [{"resourceType": "Patient", "id": f"p{i}", "birthDate": f"19{10 + i}-02-03", **({"active": True} if i else {})} for i in range(3)]
    source = write(tmp_path / "in.ndjson", "\n".join(map(json.dumps, people)))
    table = tmp_path / "out" / "people"
    run("view", "run", definition, source, "--format", "delta", "-o", table, cwd=tmp_path)
    read = deltalake.DeltaTable(str(table)).to_pyarrow_table().sort_by("id")
    assert read.schema.names == ["id", "born", "active"]
    assert read.to_pylist() == [{"id": f"p{i}", "born": datetime.date(1910 + i, 2, 3), "active": True if i else None} for i in range(3)]
    (add,) = pyarrow.table(deltalake.DeltaTable(str(table)).get_add_actions(flatten=True)).to_pylist()
    assert (add["num_records"], add["min.id"], add["max.id"], add["null_count.active"]) == (3, "p0", "p2", 1)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["people"]

    assert "not empty" in run("view", "run", definition, source, "--format", "delta", "-o", table, cwd=tmp_path, expect=1).stderr
    assert deltalake.DeltaTable(str(table)).version() == 1
    assert "is a file" in run("view", "run", definition, source, "--format", "delta", "-o", source, cwd=tmp_path, expect=1).stderr
    assert "-o DIR" in run("view", "run", definition, source, "--format", "delta", cwd=tmp_path, expect=2).stderr
    (tmp_path / "empty").mkdir()
    nobody = write(tmp_path / "nobody.ndjson", "")
    run("view", "run", definition, nobody, "--format", "delta", "-o", tmp_path / "empty", cwd=tmp_path)
    assert deltalake.DeltaTable(str(tmp_path / "empty")).to_pyarrow_table().num_rows == 0
    run("view", "run", definition, tmp_path / "missing.ndjson", "--format", "delta", "-o", tmp_path / "never", cwd=tmp_path, expect=1)
    assert not (tmp_path / "never").exists() and not (tmp_path / "_vitalake").exists()


def test_version_help_completion_doctor(tmp_path):
    assert run("version").stdout.strip()
    assert "ingest" in run("--help").stdout
    for shell in ("bash", "zsh", "fish"):
        assert "ingest" in run("completion", shell).stdout
    run("--lake", tmp_path / "lake", "doctor")


def test_config_errors_name_the_key(tmp_path):
    config = write(tmp_path / "vitalake.yaml", "lake: ./lake\nmemorry: 1GB\n")
    done = run("--config", config, "config", "check", expect=2)
    assert "memorry" in done.stderr and "memory" in done.stderr.replace("memorry", "")
    write(config, "lake: ./lake\nmemory: 2GB\n")
    assert "2" in run("--config", config, "config", "print").stdout


def test_demo_ends_by_itself(tmp_path):
    done = run("--lake", tmp_path / "lake", "demo", "--patients", 20, "--seconds", 3, "--no-serve", timeout=120, cwd=tmp_path)
    assert "patient_observations" in done.stdout + done.stderr
    lake = Lake(tmp_path / "lake")
    assert lake.read("gold.patient_observations").num_rows == 20


def test_starting_is_quick(filled):
    """The bound is loose, for busy machines; the benchmark holds the figure."""
    best = min(timed(filled) for _ in range(5))
    assert best < 1.0


def timed(lake):
    start = time.perf_counter()
    lake.run("sql", "SELECT 1 AS one")
    return time.perf_counter() - start


def test_the_pair_can_be_moved(tmp_path):
    """The binary and the library beside it work from anywhere."""
    copied = tmp_path / "bin"
    copied.mkdir()
    subprocess.run(["cp", BINARY, BINARY.parent / "libduckdb.so", copied], check=True)
    subprocess.run([copied / "vitalake", "version"], check=True, cwd="/", stdout=subprocess.DEVNULL)


def test_a_mistyped_table_in_sql_names_the_nearest(filled):
    done = filled.run("sql", "select * from silver.patients", expect=1)
    assert 'Did you mean "silver.patient"?' in done.stderr


def test_sql_says_where_no_lake_is(lake):
    done = lake.run("sql", "SELECT * FROM silver.patient", expect=1)
    assert f"there is no lake at {lake.path}" in done.stderr
    assert lake.run("sql", "SELECT 1 AS one", "--format", "csv").stdout.split() == ["one", "1"]


@pytest.mark.parametrize("arguments, said", [
    (("table", "read", "silver.patient", "--timestamp", "garbage"), "--timestamp garbage"),
    (("ingest", "x.json", "--source", ".."), "--source .."),
    (("generate", "patients", "-3"), "-3 is below 0"),
])
def test_a_wrong_value_names_its_flag(filled, arguments, said):
    done = filled.run(*arguments, expect=2)
    assert said in done.stderr
    assert "SELECT" not in done.stderr and "1797693" not in done.stderr


def test_a_missing_input_is_named(tmp_path):
    done = run("view", "run", "patient", tmp_path / "nosuch.ndjson", expect=1)
    assert "nosuch.ndjson" in done.stderr and "read_fhir" not in done.stderr


def test_the_ending_of_a_file_gives_the_format(filled, tmp_path):
    query = "SELECT id FROM silver.observation ORDER BY id"
    filled.run("sql", query, "-o", tmp_path / "rows.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "rows.parquet").num_rows == 3
    filled.run("sql", query, "-o", tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_text().split() == ["id", "a", "b", "c"]
    patients = write(tmp_path / "patients.json", resources.patient())
    run("view", "run", "patient", patients, "-o", tmp_path / "view.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "view.parquet").num_rows == 1


def test_a_folders_files_may_end_in_capitals(lake, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder / "A.JSON", resources.patient())
    (folder / "B.NDJSON.txt").write_text("no")
    lake.ingest(folder)
    assert lake.value("SELECT count(*) AS n FROM silver.patient") == 1


def test_a_version_that_vacuum_took_says_so(lake, tmp_path):
    for version in range(1, 5):
        patient = {"resourceType": "Patient", "id": "p", "meta": {"versionId": str(version)}, "active": version % 2 == 0}
        lake.ingest(write(tmp_path / f"{version}.json", patient))
    lake.run("table", "vacuum", "silver.patient", "--retain", "0h")
    newest = lake.delta("silver.patient").version()
    for arguments in (("table", "read", "silver.patient", "--version", 1), ("sql", "FROM silver.patient AT (VERSION => 1)")):
        said = lake.run(*arguments, expect=1).stderr
        assert "version 1 of silver.patient" in said and "vacuum" in said and f"version {newest} can" in said
    said = lake.run("table", "changes", "silver.patient", "--from", 0, expect=1).stderr
    assert "vacuum" in said and f"from version {newest + 1} on" in said or f"from version {newest} on" in said
    assert lake.run("table", "read", "silver.patient", "--version", newest, "--format", "csv").stdout.count("\n") == 2


def test_key_conflicts_are_taken_in_under_their_identifiers(lake, tmp_path):
    def message(number):
        reading = resources.pressure("c", 120 + number)
        reading["identifier"] = [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:00000000-0000-0000-0000-00000000000{number}"}]
        return reading
    lines = tmp_path / "c.ndjson"
    lines.write_text("".join(json.dumps(message(n)) + "\n" for n in (1, 2, 3)))
    lake.ingest(lines)
    assert lake.value("SELECT count(*) AS n FROM silver.observation") == 1
    (said,) = {row["message"] for row in lake.quarantine()}
    assert "quarantine replay --reason key-conflict --key identifier" in said
    lake.run("quarantine", "replay", "--reason", "key-conflict")
    assert {row["replayed_at"] for row in lake.quarantine()} == {None}
    lake.run("quarantine", "replay", "--reason", "key-conflict", "--key", "identifier")
    assert None not in {row["replayed_at"] for row in lake.quarantine()}
    assert [row["s"] for row in lake.sql("SELECT systolic_pressure_value::INTEGER AS s FROM silver.observation ORDER BY 1")] == [121, 122, 123]
