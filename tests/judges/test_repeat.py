"""Running again, and the one conflict rule whatever the order of arrival."""

import itertools

import resources
from product import keyed_rows, write

SILVER = ("silver.patient", "silver.observation", "silver.vital_sign")


def test_running_twice_writes_nothing_new(lake, few_files):
    lake.ingest(*few_files)
    versions, counts = lake.versions(), lake.counts()
    assert counts["written"] > 0
    lake.ingest(*few_files)
    after = lake.versions()
    for table in after:
        if not table.startswith("ops."):
            assert after[table] == versions[table], table
    again = lake.counts()
    assert again["received"] == 2 * counts["received"]
    assert again["written"] == counts["written"]
    assert again["duplicate"] == counts["received"]
    copies = [p for p in (lake.path / "bronze").rglob("*") if p.is_file() and "_delta_log" not in p.parts]
    assert len(copies) == len(few_files)


def test_the_same_content_in_another_file_is_a_duplicate(lake, tmp_path):
    one = resources.bundle(resources.patient(), resources.pressure())
    lake.ingest(write(tmp_path / "a.json", one))
    reordered = resources.bundle(resources.pressure(), dict(reversed(resources.patient().items())))
    lake.ingest(write(tmp_path / "b.json", reordered))
    counts = lake.counts()
    assert (counts["received"], counts["written"], counts["duplicate"]) == (4, 2, 2)
    assert lake.read("silver.observation").num_rows == 1


def versions_of_one_reading():
    """A mixed set: (resource, ...) whose winner is known: the retraction without a version stays on top for `gone`,
    the highest version for `kept`."""
    def version(number, systolic, **more):
        return {"meta": {"versionId": str(number), "lastUpdated": f"2026-01-0{number}T00:00:00Z"}, **more}, systolic
    kept = [resources.pressure("kept", systolic, **more) for more, systolic in (version(1, 111), version(3, 133), version(2, 122))]
    unversioned = resources.pressure("kept", 99)
    gone = [resources.pressure("gone", 140, meta={"versionId": "7"}), resources.pressure("gone", 140, status="entered-in-error")]
    return kept, unversioned, gone


def test_every_order_of_arrival_ends_in_the_same_rows(tmp_path):
    from product import Lake
    kept, unversioned, gone = versions_of_one_reading()
    records = [*kept, unversioned, *gone]
    results = set()
    orders = list(itertools.permutations(range(len(records))))[::51]
    assert len(orders) >= 14
    for number, order in enumerate(orders):
        lake = Lake(tmp_path / f"lake{number}")
        half = number % (len(order) + 1)  # in one run, or split over two at every place
        for part, places in enumerate((order[:half], order[half:])):
            if places:
                lake.ingest(write(tmp_path / f"{number}-{part}.json", resources.bundle(*(records[i] for i in places))))
        rows = {r["id"]: r for r in lake.read("silver.observation").to_pylist()}
        assert rows["kept"]["systolic_pressure_value"] == 133.0, order
        assert rows["gone"]["systolic_pressure_value"] is None and rows["gone"]["retracted_at"] is not None, order
        counts = lake.counts()
        assert counts["received"] == len(records)
        results.add(tuple(repr({k: r[k] for k in ("id", "status", "version_id", "systolic_pressure_value",
                                                  "diastolic_pressure_value")}) for r in sorted(rows.values(), key=lambda r: r["id"])))
    assert len(results) == 1


def test_a_deleted_reading_stays_retracted(lake, tmp_path):
    lake.ingest(write(tmp_path / "a.json", resources.bundle(resources.patient(), resources.pressure("x", 150))))
    lake.ingest(write(tmp_path / "b.json", resources.bundle({"request": {"method": "DELETE", "url": "Observation/x"}})))
    lake.ingest(write(tmp_path / "c.json", resources.bundle(resources.pressure("x", 155, meta={"versionId": "3"}))))
    (row,) = lake.read("silver.observation").to_pylist()
    assert row["retracted_at"] is not None and row["systolic_pressure_value"] is None
    vital = [r for r in lake.read("silver.vital_sign").to_pylist() if r["retracted_at"] is None]
    assert vital == []


def test_gold_counts_what_is_left(lake, tmp_path):
    readings = [resources.pressure(f"o{i}", 120 + i, 70 + i, time=f"2026-01-0{i + 1}T08:00:00Z") for i in range(4)]
    lake.ingest(write(tmp_path / "a.json", resources.bundle(resources.patient(), *readings)))
    gone = resources.pressure("o3", status="entered-in-error", meta={"versionId": "2"})
    lake.ingest(write(tmp_path / "b.json", resources.bundle(gone)))
    (row,) = lake.read("gold.patient_observations").to_pylist()
    assert (row["readings"], row["avg_systolic_pressure"], row["max_systolic_pressure"]) == (3, 121.0, 122.0)
    assert row["min_diastolic_pressure"] == 70.0 and row["last_diastolic_pressure"] == 72.0


def test_id_spaces_keep_two_hospitals_apart(lake, tmp_path):
    lake.ingest(write(tmp_path / "a.json", resources.patient("p1")), "--id-space", "north")
    lake.ingest(write(tmp_path / "b.json", resources.patient("p1", gender="male")), "--id-space", "south")
    rows = {(r["id_space"], r["id"]): r["gender"] for r in lake.read("silver.patient").to_pylist()}
    assert rows == {("north", "p1"): "female", ("south", "p1"): "male"}


def test_a_run_in_pieces_equals_one_run(tmp_path, few_files):
    from product import Lake
    whole, pieces = Lake(tmp_path / "whole"), Lake(tmp_path / "pieces")
    whole.ingest(*few_files)
    for start in range(0, len(few_files), 4):
        pieces.ingest(*few_files[start:start + 4])
    for table in SILVER:
        assert keyed_rows(pieces, table) == keyed_rows(whole, table), table
