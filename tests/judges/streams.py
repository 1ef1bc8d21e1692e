"""A stream as a user runs it: a config file, `vitalake run`, and a broker."""

import json
import pathlib
import signal
import subprocess
import time

import deltalake

from product import PROCESSING, Lake, command, write

# Where a row's message lay: another in a stream than in a file.
PLACE = PROCESSING | {"source", "source_offset", "source_length"}


class Service:
    """`vitalake run` over one Kafka topic and one lake. Several may run at once."""

    def __init__(self, folder, broker, topic, extra="", source=None):
        self.lake = Lake(folder / "lake")
        self.broker, self.topic = broker, topic
        source = source or f'kafka: {{brokers: "{broker.address}", topic: {topic}, group: "{topic}"}}'
        self.config = write(folder / "vitalake.yaml", f"""
lake: {self.lake.path}
streams:
  - name: vitals
    {source}
    commit: {{every: 100ms}}
{extra}
""")
        self.log = folder / "run.log"
        self.processes = []

    def start(self, level="info", environment=None):
        before = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as out:
            process = subprocess.Popen(command("run", "--config", self.config, "--log-level", level), env=environment,
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.processes.append(process)
        # Before its first word it may not listen to signals yet.
        deadline = time.monotonic() + 60
        while self.log.stat().st_size == before and process.poll() is None:
            assert time.monotonic() < deadline, "it says nothing"
            time.sleep(0.01)
        return process

    def kill(self, process):
        process.kill()
        process.wait(timeout=60)
        self.processes.remove(process)

    def stop(self, process=None):
        """SIGTERM: it drains and ends with 0."""
        for one in [process] if process else list(self.processes):
            one.send_signal(signal.SIGTERM)
            assert one.wait(timeout=60) == 0, self.text()
            self.processes.remove(one)

    def text(self):
        return self.log.read_text()[-8000:] if self.log.exists() else ""

    def await_text(self, words, timeout=60, times=1):
        """Until the log has the words, so often."""
        deadline = time.monotonic() + timeout
        while not self.log.exists() or self.log.read_text().count(words) < times:
            assert time.monotonic() < deadline, f"no {words!r} in\n{self.text()}"
            time.sleep(0.05)

    def position(self, table, app):
        try:
            return deltalake.DeltaTable(str(self.lake.folder(table))).transaction_version(app)
        except deltalake.exceptions.TableNotFoundError:
            return None

    def await_position(self, table, app, position, timeout=60):
        deadline = time.monotonic() + timeout
        while (self.position(table, app) or 0) < position:
            assert time.monotonic() < deadline, f"{table} does not reach {position} of {app}\n{self.text()}"
            assert any(p.poll() is None for p in self.processes), self.text()
            time.sleep(0.05)

    def await_all(self, epoch=0, timeout=60):
        """Until the ledger, which is written last, has every message of the topic."""
        for partition, end in self.broker.end_offsets(self.topic).items():
            if end:
                self.await_position("ops.ledger", f"vitals/{self.topic}/{partition}/{epoch}", end, timeout)

    def run_to_end(self, **kwargs):
        self.start()
        self.await_all(**kwargs)
        self.stop()

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait(timeout=60)


def by_patient(lines, partitions):
    """(partition, line, key) of each: a patient's messages stay in order."""
    messages = []
    for line in lines:
        record = json.loads(line)
        patient = record["subject"]["reference"] if "subject" in record else f"Patient/{record['id']}"
        messages.append((sum(patient.encode()) % partitions, line, patient))
    return messages


def generate(folder, patients=40, observations=1500, seed=7):
    """Lines of patients, then of readings with duplicates, corrections, retractions and late ones."""
    folder = pathlib.Path(folder)
    for what, count, *more in (("patients", patients), ("observations", observations, "--patients",
                                                        folder / "patients.ndjson", "--anomalies", 0.2)):
        Lake(folder / "none").run("generate", what, count, "--seed", seed, "--to", folder / f"{what}.ndjson", *more)
    return [(folder / f"{what}.ndjson").read_text().splitlines() for what in ("patients", "observations")]


def batch_lake(folder, lines):
    """The same records taken in from one file."""
    lake = Lake(folder / "batch")
    lake.ingest(write(folder / "records.ndjson", "\n".join(lines) + "\n"))
    return lake


def rows(lake, table, without=frozenset()):
    """In a comparable order; of `retracted_at`, which is a time of arrival, whether it is set."""
    arrow = lake.read(table)
    names = sorted(set(arrow.column_names) - PLACE - without)
    found = arrow.select(names).to_pylist()
    for row in found:
        if "retracted_at" in row:
            row["retracted_at"] = row["retracted_at"] is not None
    return sorted(map(repr, found))


SILVER = ("silver.patient", "silver.observation", "silver.vital_sign")


def assert_same(lake, reference, tables=SILVER):
    for table in tables:
        # A category names the setting, which is another for files where the sender does not say it.
        without = {"category"} if table == "gold.patient_observations" else set()
        assert rows(lake, table, without) == rows(reference, table, without), table
