"""Any order of arrival inside the window gives the same tables, and the same alerts apart from ids."""

import datetime
import json
import random

import pytest

import resources
from product import write
from stream_oracle import values_of
from streams import Service

ORDERS = 8


def messages_of(begin):
    """Of one patient, each some seconds after the one before."""
    def reading(name, second, systolic, version=1, status="final"):
        time = (begin + datetime.timedelta(seconds=second)).isoformat()
        return resources.pressure(name, systolic, 80, time=time, status=status, meta={"versionId": str(version)})

    return [
        reading("calm", 0, 124),
        reading("severe", 20, 188), reading("severe", 20, 188),  # twice
        reading("severe-again", 40, 192),  # confirms it
        reading("clear", 60, 121),  # ends it
        reading("wrong", 80, 204), reading("wrong", 80, 126, 2),  # corrected: never severe
        reading("mistake", 100, 210), reading("mistake", 100, 210, 2, "entered-in-error"),
        reading("high", 120, 166), reading("high-again", 140, 168),
        reading("raised", 160, 128), reading("raised", 160, 171, 2), reading("raised", 160, 167, 3),
    ]


def line(message):
    return json.dumps(message) + "\n"


class Orders:
    """One service with a stream for each order, which has an id space of its own. The first order is that of the times."""

    def __init__(self, folder):
        chance = random.Random(20261126)
        self.begin = datetime.datetime.now(datetime.UTC).replace(microsecond=0) - datetime.timedelta(minutes=4)
        self.messages = messages_of(self.begin)
        self.names = [f"order{number}" for number in range(ORDERS)]
        service = Service(folder, None, "none", source="file: {path: none}")
        self.lake = service.lake
        text, lasts = f"lake: {self.lake.path}\nserve: {{http: off, postgres: off}}\nstreams:\n", {}
        patient = write(folder / "patient.json", resources.patient())
        for name in self.names:
            messages = self.messages if name == "order0" else chance.sample(self.messages, len(self.messages))
            file = write(folder / f"{name}.ndjson", "".join(map(line, messages)))
            lasts[name] = f"{name}/{file.name}/0/0", file.stat().st_size - len(line(messages[-1]))
            text += (f"  - {{name: {name}, id_space: {name}, file: {{path: {file}}}, "
                     f"commit: {{every: 50ms, rows: {chance.choice([1, 3, 50])}}}}}\n")
            self.lake.ingest(patient, "--id-space", name, "--source", name)
        service.config.write_text(text)
        try:
            service.start()
            for app, last in lasts.values():
                service.await_position("ops.ledger", app, last + 1)
            service.stop()
        finally:
            service.end()

    def rows(self, table, columns):
        """By order."""
        found = {name: [] for name in self.names}
        for row in self.lake.read(table).to_pylist():
            found[row["id_space"]].append(tuple(row[c] for c in columns))
        return {name: sorted(rows, key=repr) for name, rows in found.items()}

    def second(self, time):
        return None if time is None else (time - self.begin).total_seconds()


@pytest.fixture(scope="module")
def orders(tmp_path_factory):
    return Orders(tmp_path_factory.mktemp("orders"))


def assert_all_as_the_first(found):
    assert found["order0"] and found == dict.fromkeys(found, found["order0"])


READING = ["id", "status", "version_id", "content_hash", "quality", "patient_id", "effective_time", "systolic_pressure_value",
           "diastolic_pressure_value", "mean_pressure", "computed_interpretation_code", "rule_set", "rule_version"]


def test_any_order_of_arrival_gives_the_same_tables(orders):
    readings = orders.rows("silver.observation", READING)
    assert {row[0]: row[7:9] if row[1] != "entered-in-error" else None for row in readings["order0"]} == values_of(orders.messages)
    assert_all_as_the_first(readings)
    assert_all_as_the_first(orders.rows("silver.vital_sign", ["id", "component", "code", "value", "unit", "status", "version_id"]))
    assert_all_as_the_first(orders.rows("gold.patient_observations", [
        "id", "readings", "avg_systolic_pressure", "last_systolic_pressure", "min_systolic_pressure", "max_systolic_pressure", "category"]))


def test_any_order_of_arrival_gives_the_same_alerts_apart_from_ids(orders):
    last = {}
    for row in sorted(orders.lake.read("ops.alert").to_pylist(), key=lambda row: row["sequence"]):
        last[row["id_space"], row["alert_id"]] = row
    found = {name: [] for name in orders.names}
    for (name, _), row in last.items():
        if row["state"] != "withdrawn":
            found[name].append((row["rule"], row["severity"], row["state"], orders.second(row["opened_at"]),
                                orders.second(row["closed_at"])))
    found = {name: sorted(rows) for name, rows in found.items()}
    # Severe at 20 and 40, over at 60; ordinarily high, by a second reading, at the same times and from 120 on.
    assert [(rule, *rest) for rule, _, *rest in found["order0"]] == [
        ("high", "closed", 20, 60), ("high", "open", 120, None), ("severe-high", "closed", 20, 60)]
    assert_all_as_the_first(found)
