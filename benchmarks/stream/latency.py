"""latency.py BINARY LAKE PATIENTS RATE SECONDS FOLDER: how long a reading takes to an alert, to silver and to gold.

On a lake with PATIENTS patients, each of whom has sent one reading before, RATE messages a second come for SECONDS, in an
open loop: each message has its time, whether the ones before it were taken or not. One in a hundred is a critical reading of a patient of its own and must
raise one alert; one in a hundred corrects an earlier one. Delays run from the time at which the broker appended the
message, to the client of server-sent events, and to the commit that made it visible (when its file appeared in the
table's log). Prints {"results": [{"who", "seconds": [...], "peak_mb", "note"}]}.
"""

import bisect
import gc
import http.client
import json
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone

from confluent_kafka import Consumer, Producer, TopicPartition
from deltalake import DeltaTable

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tests/judges")]
from kafka_broker import Broker  # noqa: E402
from measure import high_water, percentile  # noqa: E402

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
TOPIC, PARTITIONS = "latency", 4
CRITICAL_EVERY, CORRECTED_EVERY = 100, 100  # of these, in turns
SILVER = ("silver/observation", "silver/vital_sign")


def part(code, value):
    return {"code": {"coding": [{"system": LOINC, "code": code}]},
            "valueQuantity": {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}}


def is_critical(number):
    return number % CRITICAL_EVERY == 0


def is_correction(number):
    return number % CORRECTED_EVERY == 50 and number > CORRECTED_EVERY


class Load:
    """The messages, by number."""

    def __init__(self, patients):
        self.patients, self.chance, self.sent = patients, random.Random(7), {}

    def message(self, number):
        if is_correction(number):
            of = self.chance.randrange(number - 50)
            of -= is_critical(of)  # an alert is not to be corrected away
            of = max(of, 1)
            of += is_correction(of)  # a message of its own that is no reading
            before = self.sent[of]
            version = int(before["meta"]["versionId"]) + 1  # some are corrected again
            resource = {**before, "status": "corrected",
                        "meta": {"versionId": str(version), "lastUpdated": datetime.now(timezone.utc).isoformat()}}
            resource["component"] = [part("8480-6", 119 + version), part("8462-4", 79)]
            self.sent[of] = resource
            return resource
        self.sent[number] = self.reading(number)
        return self.sent[number]

    @staticmethod
    def first(patient):
        return {"resourceType": "Observation", "id": f"first{patient}", "status": "final", "meta": {"versionId": "1"},
                "code": {"coding": [{"system": LOINC, "code": "85354-9"}]}, "subject": {"reference": f"Patient/p{patient}"},
                "effectiveDateTime": (datetime.now(timezone.utc) - timedelta(minutes=5)).isoformat(),
                "component": [part("8480-6", 116), part("8462-4", 78)]}

    def reading(self, number):
        critical = is_critical(number)
        who = number // CRITICAL_EVERY if critical else self.chance.randrange(self.patients // 2, self.patients)
        return {"resourceType": "Observation", "id": f"o{number}", "status": "final", "meta": {"versionId": "1"},
                "code": {"coding": [{"system": LOINC, "code": "85354-9"}]}, "subject": {"reference": f"Patient/p{who}"},
                "effectiveDateTime": datetime.now(timezone.utc).isoformat(),
                "component": [part("8480-6", 210 if critical else 112 + number % 9), part("8462-4", 78)]}


class Alerts(threading.Thread):
    """A client of /alerts/stream: when each reading's alert came."""

    def __init__(self, host, wanted):
        super().__init__(daemon=True)
        self.host, self.wanted, self.came = host, wanted, {}

    def run(self):
        connection = http.client.HTTPConnection(self.host, timeout=120)
        connection.request("GET", "/alerts/stream")
        answer = connection.getresponse()
        while len(self.came) < self.wanted and (line := answer.readline()):
            if not line.startswith(b"data: "):
                continue
            now, alert = time.time(), json.loads(line[6:])
            if alert["change"] != "opened" or alert["rule"] != "severe-high":
                continue
            (reading,) = json.loads(alert["reading_ids"])
            assert reading not in self.came, alert
            self.came[reading] = now


def await_table(table, count, deadline):
    """Until a Delta table has rows of so many patients."""
    while (table / "_delta_log").exists():
        if len(DeltaTable(str(table)).to_pyarrow_table(columns=["patient_id"]).column(0).unique()) >= count:
            return
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    raise SystemExit(f"{table} has not the readings sent first")


def app_id(partition):
    return f"vitals/{TOPIC}/{partition}/0"


def await_positions(table, ends, deadline):
    """Until a table has every message."""
    while any((DeltaTable(str(table)).transaction_version(app_id(n)) or 0) < end for n, end in ends.items()):
        if time.monotonic() > deadline:
            raise SystemExit(f"{table} has not all messages")
        time.sleep(0.2)


def gold_app(table, source):
    return f"gold/gold.{table}/{source.replace('/', '.')}"


def await_gold(lake, deadline):
    """Until every gold table has seen silver as it is now."""
    now = {source: DeltaTable(str(lake / source)).version() for source in SILVER}
    while True:
        late = [table.name for table in (lake / "gold").iterdir() for source, version in now.items()
                if (seen := DeltaTable(str(table)).transaction_version(gold_app(table.name, source))) is not None and seen < version]
        if not late:
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"gold stays behind: {late}")
        time.sleep(0.5)


def appended(broker, topic, count):
    """When the broker appended each message of the load, and its number, by partition and offset."""
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": "bench", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, n, 0) for n in range(PARTITIONS)])
    found = {}
    while len(found) < count:
        for message in consumer.consume(10_000, timeout=10):
            number = int(dict(message.headers())["number"])
            if number >= 0:
                found[message.partition(), message.offset()] = message.timestamp()[1] / 1000, number
    consumer.close()
    return found


class Commits:
    """When a table's versions appeared, and how far each was in the stream or in its source."""

    def __init__(self, table):
        self.at, self.reached = [], {}
        for commit in sorted((table / "_delta_log").glob("*.json")):
            if not commit.stem.isdigit():
                continue
            version = int(commit.stem)
            self.at.append((version, commit.stat().st_ctime))
            for line in commit.read_text().splitlines():
                if txn := json.loads(line).get("txn"):
                    self.reached.setdefault(txn["appId"], []).append((txn["version"], version))
        self.when = dict(self.at)

    def version_of(self, app, position):
        """The first version that is at `position` of `app` or further."""
        reached = self.reached[app]
        return reached[bisect.bisect_left(reached, (position, -1))][1]


def main():
    # A collection goes over all messages sent, for up to a second, in which this client hears of no alert.
    gc.disable()
    binary, lake, patients, rate, seconds, folder = sys.argv[1], pathlib.Path(sys.argv[2]), *map(int, sys.argv[3:6]), pathlib.Path(sys.argv[6])
    total, topic = rate * seconds, TOPIC
    lake.parent.mkdir(parents=True, exist_ok=True)
    people = folder / "people.ndjson"
    people.write_text("".join(json.dumps({"resourceType": "Patient", "id": f"p{i}", "birthDate": "1950-01-01"}) + "\n" for i in range(patients)))
    subprocess.run([binary, "--lake", lake, "ingest", people], check=True, stdout=subprocess.DEVNULL)
    broker = Broker(folder / "broker").start()
    service = None
    try:
        broker.create(topic, PARTITIONS, {"message.timestamp.type": "LogAppendTime"})
        config, log = folder / "vitalake.yaml", folder / "log"
        config.write_text(f'lake: {lake}\nserve: {{http: "127.0.0.1:0"}}\nstreams:\n  - name: vitals\n'
                          f'    kafka: {{brokers: "{broker.address}", topic: {topic}, group: latency}}\n')
        with log.open("w") as out:
            service = subprocess.Popen([binary, "run", "--config", config], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        deadline = time.monotonic() + 60
        while not (found := re.search(r"listening at http://([\d.:]+)", log.read_text())) or log.read_text().count(": reading ") < PARTITIONS:
            if service.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"it does not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        producer, load = Producer({"bootstrap.servers": broker.address, "linger.ms": 5}), Load(patients)
        for number in range(patients):
            message = load.first(number)
            producer.produce(topic, json.dumps(message), key=message["subject"]["reference"], headers={"number": str(-1 - number)})
            producer.poll(0)
        producer.flush(60)
        await_table(lake / "gold/latest_vital", patients, deadline + 240)
        alerts = Alerts(found[1], len([n for n in range(total) if is_critical(n)]))
        alerts.start()
        producer = Producer({"bootstrap.servers": broker.address, "linger.ms": 0})
        begin, slowest = time.perf_counter(), 0
        for number in range(total):
            while (wait := begin + number / rate - time.perf_counter()) > 0:
                time.sleep(min(wait, 0.001))
            slowest = max(slowest, -wait)
            message = load.message(number)
            producer.produce(topic, json.dumps(message), key=message["subject"]["reference"], headers={"number": str(number)})
            producer.poll(0)
        producer.flush(60)
        alerts.join(60)
        for table in SILVER:
            await_positions(lake / table, broker.end_offsets(topic), time.monotonic() + 60)
        await_gold(lake, time.monotonic() + 300)
        peak = high_water(service.pid) / 2**20
        service.send_signal(signal.SIGTERM)
        if service.wait(timeout=120) != 0:
            raise SystemExit(log.read_text()[-2000:])
        sent = appended(broker, topic, total)
    finally:
        if service is not None:
            service.kill()
        broker.stop()
    wanted = {f"o{number}": at for at, number in sent.values() if is_critical(number)}
    if set(wanted) != set(alerts.came):
        raise SystemExit(f"{len(alerts.came)} of {len(wanted)} alerts came")

    results = []

    def tell(who, delays, note=""):
        note = "; ".join(filter(None, (f"p99 {percentile(delays, 0.99):.3f} s", note)))
        results.append({"who": who, "seconds": [round(delay, 4) for delay in delays], "peak_mb": peak, "note": note})

    tell("reading to alert, at a client of server-sent events", [at - wanted[reading] for reading, at in alerts.came.items()],
         f"{len(wanted)} alerts, {rate:,} readings/s, {patients:,} patients; at most {slowest * 1000:.0f} ms behind the plan")
    silver = {table: Commits(lake / table) for table in SILVER}
    gold = [(table.name, Commits(table)) for table in (lake / "gold").iterdir()]
    new, corrected, in_gold = [], [], []
    for (partition, offset), (at, number) in sent.items():
        versions = {table: commits.version_of(app_id(partition), offset + 1) for table, commits in silver.items()}
        (corrected if is_correction(number) else new).append(max(silver[t].when[v] for t, v in versions.items()) - at)
        in_gold.append(max(commits.when[commits.version_of(app, version)] for table, commits in gold for source, version in versions.items()
                           if (app := gold_app(table, source)) in commits.reached) - at)
    files = {table: len(DeltaTable(str(lake / table)).file_uris()) for table in SILVER}
    tell("reading to silver, both tables", new, "files at the end: " + ", ".join(f"{n} in {t.replace('/', '.')}" for t, n in files.items()))
    tell("correction to silver, both tables", corrected)
    tell("reading or correction to all gold tables", in_gold)
    print(json.dumps({"results": results}))


if __name__ == "__main__":
    main()
