"""120 synthetic patients: what silver and the ledger hold, against the JSON itself."""

import collections
import hashlib

import pytest


@pytest.fixture(scope="module")
def observations(synthea_lake):
    return {row["id"]: row for row in synthea_lake.read("silver.observation").to_pylist()}


@pytest.fixture(scope="module")
def vitals(synthea_lake):
    return synthea_lake.read("silver.vital_sign").to_pylist()


def test_the_data_is_what_it_should_be(expected):
    assert (len(expected.patients), len(expected.panels), expected.observations) == (120, 1637, 42929)


def test_every_patient(synthea_lake, expected):
    rows = {row["id"]: row for row in synthea_lake.read("silver.patient").to_pylist()}
    assert rows.keys() == expected.patients.keys()
    for name, wanted in expected.patients.items():
        assert {column: rows[name][column] for column in wanted} == wanted, name


def test_every_blood_pressure_panel(observations, expected):
    assert observations.keys() == expected.panels.keys()
    for name, wanted in expected.panels.items():
        row = dict(observations[name], effective_date=str(observations[name]["effective_date"]))
        assert {column: row[column] for column in wanted} == wanted, name
        assert row["systolic_pressure_unit"] == row["diastolic_pressure_unit"] == "mm[Hg]"
        assert row["retracted_at"] is None and row["code"] == "85354-9"


def test_every_vital_sign_value(vitals, expected):
    """Each number of each vital sign is one row, with the number as sent."""
    found = collections.defaultdict(collections.Counter)
    for row in vitals:
        if row["value_sent"] is not None:
            found[row["resource_id"]][float(row["value_sent"])] += 1
    wanted = {name: collections.Counter(value for (_, value, _), n in values.items() for _ in range(n))
              for name, values in expected.vitals.items()}
    # Two mean pressures (8478-0) carry no unit, and none may be assumed for them: quarantined.
    unitless = {name for name, values in expected.vitals.items()
                if any(code == "8478-0" and unit is None for code, _, unit in values)}
    assert len(unitless) == 2
    missing = {name for name in wanted if wanted[name] != found.get(name)}
    assert missing == unitless, f"{len(missing)} of {len(wanted)} differ, e.g. {sorted(missing)[:3]}"
    assert found.keys() == wanted.keys() - unitless


def test_values_without_conversion_are_as_sent(vitals):
    same_unit = [row for row in vitals if row["value_sent"] is not None and row["unit_sent"] == row["unit"]]
    assert len(same_unit) > 10_000
    assert all(row["value"] == float(row["value_sent"]) for row in same_unit)


def test_glucose_and_oxygen_from_the_laboratory_are_there(vitals, expected):
    for code in ("2339-0", "2345-7", "2708-6"):
        wanted = sum(1 for values in expected.vitals.values() for sent, _, _ in values if sent == code)
        assert wanted > 200
        found = sum(1 for row in vitals if f'"{code}"' in (row["codings"] or "") and row["value"] is not None)
        assert found >= wanted, code


def test_ledger_counts_every_resource(synthea_lake, expected, bundle_files):
    counts = synthea_lake.counts()
    assert counts["received"] == expected.entries
    assert counts["written"] + counts["quarantined"] == len(expected.patients) + len(expected.in_scope)
    assert counts["quarantined"] <= 4, synthea_lake.quarantine()[:4]
    assert counts["duplicate"] == counts["superseded"] == 0
    assert len(synthea_lake.ledger()) == len(bundle_files)


def test_observations_in_the_ledger_per_file(synthea_lake, expected):
    """42,929 Observations came in: what is neither a patient nor in scope is out of scope."""
    counts = synthea_lake.counts()
    other = expected.entries - expected.observations - len(expected.patients)
    assert counts["out_of_scope"] - other == expected.observations - len(expected.in_scope)


def test_bronze_holds_every_byte(synthea_lake, bundle_files):
    def digest(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    kept = [p for p in (synthea_lake.path / "bronze").rglob("*") if p.is_file() and "_delta_log" not in p.parts]
    assert collections.Counter(map(digest, kept)) == collections.Counter(map(digest, bundle_files))
    (day,) = {p.parent.relative_to(synthea_lake.path / "bronze").parts[1:] for p in kept}
    assert [len(part) for part in day] == [4, 2, 2]
