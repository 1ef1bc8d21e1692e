"""`init --compat reference`: the reference platform's names and columns over the same rows."""

import json

import resources
from product import write

COLUMNS = {
    "silver_patients": "resource_type id family_name given_name work_phone mobile_phone gender active birth_date city district state line "
                       "postal_code ingestion_date update_date",
    "silver_observations": "id status category_code code patient_id resource_type effective_date practitioner systolic_pressure_value "
                           "systolic_pressure_unit systolic_interpretation diastolic_pressure_value diastolic_pressure_unit "
                           "diastolic_interpretation ingestion_date",
    "gold_patient_observations": "avg_systolic_pressure avg_diastolic_pressure id family_name given_name work_phone mobile_phone gender "
                                 "birth_date active city district line postal_code state update_date ingestion_date",
}


def test_the_names_and_columns_in_their_order(lake):
    lake.run("init", "--compat", "reference")
    for view, columns in COLUMNS.items():
        arrow = lake.select(f"SELECT * FROM {view}")
        assert arrow.column_names == columns.split(), view
        assert arrow.num_rows == 0


def test_the_rows_are_those_of_the_tables(lake, tmp_path):
    lake.run("init", "--compat", "reference")
    lake.ingest(write(tmp_path / "a.json", resources.bundle(
        resources.patient("p1"), resources.pressure("a", 118), resources.pressure("b", 130))))
    (patient,) = lake.sql("SELECT * FROM silver_patients")
    assert (patient["resource_type"], patient["id"], patient["family_name"]) == ("Patient", "p1", "Doe")
    assert {(r["id"], r["systolic_pressure_value"], r["patient_id"]) for r in lake.sql("SELECT * FROM silver_observations")} == {
        ("a", 118.0, "p1"), ("b", 130.0, "p1")}
    (gold,) = lake.sql("SELECT * FROM gold_patient_observations")
    assert gold["id"] == "p1" and gold["avg_systolic_pressure"] == 124.0


def test_what_was_retracted_is_not_in_the_views(lake, tmp_path):
    lake.run("init", "--compat", "reference")
    lake.ingest(write(tmp_path / "a.json", resources.bundle(resources.pressure("a"), resources.pressure("b"))))
    gone = {**resources.pressure("a"), "status": "entered-in-error"}
    lake.ingest(write(tmp_path / "b.json", gone))
    assert lake.value("SELECT count(*) AS n FROM silver.observation") == 2
    assert [r["id"] for r in lake.sql("SELECT id FROM silver_observations")] == ["b"]


def test_an_existing_lake_gets_them_later_and_keeps_them(lake, tmp_path):
    lake.ingest(write(tmp_path / "a.json", resources.patient("p1")))
    lake.run("sql", "SELECT * FROM silver_patients", expect=1)
    versions = lake.versions()
    first = json.loads(lake.run("--json", "init", "--compat", "reference").stdout)
    again = json.loads(lake.run("--json", "init", "--compat", "reference").stdout)
    assert sorted(first["views"]) == sorted(COLUMNS) and again["views"] == []
    assert lake.versions() == versions
    listed = {row["table"]: row["kind"] for row in json.loads(lake.run("table", "list", "--format", "json").stdout)}
    assert {name for name, kind in listed.items() if kind == "view"} >= set(COLUMNS)
    assert [r["id"] for r in json.loads(lake.run("table", "read", "silver_patients", "--format", "json").stdout)] == ["p1"]
    names = lake.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'")
    assert {row["table_name"] for row in names} >= set(COLUMNS)


def test_without_the_flag_there_are_none(lake):
    lake.run("init")
    listed = {row["table"] for row in json.loads(lake.run("table", "list", "--format", "json").stdout)}
    assert not listed & set(COLUMNS)


def test_another_platform_is_a_usage_error(lake):
    done = lake.run("init", "--compat", "nonsense", expect=2)
    assert "reference" in done.stderr
