"""serve.py BINARY LAKE ROWS: what a running service answers, beside a PostgreSQL 15 with an index on the same rows.

Prints one JSON object: {"results": [{"who", "seconds": [...], "peak_mb", "note"}]}. Answers are compared before they are timed.
"""

import concurrent.futures
import contextlib
import hashlib
import http.client
import json
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time

import deltalake
import psutil
import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tests/judges")]
from measure import high_water, percentile  # noqa: E402
from postgres_cluster import Cluster  # noqa: E402

COLUMNS = ("id", "patient_id", "status", "code", "effective_time", "effective_date", "systolic_pressure_value",
           "diastolic_pressure_value", "quality", "last_updated")
LOOK_UP = """SELECT id, effective_time, systolic_pressure_value, diastolic_pressure_value FROM silver.observation
  WHERE patient_id = %s ORDER BY effective_time, id"""
AGGREGATE = """SELECT code, extract(year FROM effective_date) AS year, count(*) AS readings, min(systolic_pressure_value) AS least,
  max(systolic_pressure_value) AS most, sum(CASE WHEN systolic_pressure_value >= 140 THEN 1 ELSE 0 END) AS high
  FROM silver.observation GROUP BY 1, 2 ORDER BY 1, 2"""
HEAVY = "SELECT count(*) FROM range(6000) a, range(6000) b WHERE hash(a.range, b.range) % 7 = 1"


class Served:
    """`vitalake run` over a lake, at ports the system chooses."""

    def __init__(self, binary, lake, streams="[{name: posts, http: {}}]"):
        self.folder = lake.parent / "serve"
        self.folder.mkdir(parents=True, exist_ok=True)
        config, self.log = self.folder / "vitalake.yaml", self.folder / "log"
        config.write_text(f'lake: {lake}\nstreams: {streams}\nserve: {{http: "127.0.0.1:0", postgres: "127.0.0.1:0"}}\n')
        with self.log.open("w") as log:
            self.process = subprocess.Popen([binary, "run", "--config", config, "--log-level", "info"], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        self.http = self.await_log(r"http: listening at http://([\d.:]+)")
        host, port = self.await_log(r"postgres: listening at ([\d.]+:\d+)").split(":")
        self.postgres = f"host={host} port={port} dbname=lake user=bench"
        while self.get("/readyz")[0] != 200:
            time.sleep(0.05)

    def await_log(self, pattern):
        deadline = time.monotonic() + 60
        while not (found := re.search(pattern, self.log.read_text())):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit(self.log.read_text())
            time.sleep(0.02)
        return found[1]

    def connect(self):
        return http.client.HTTPConnection(self.http, timeout=120)

    def get(self, path, connection=None):
        one = connection or self.connect()
        one.request("GET", path)
        answer = one.getresponse()
        return answer.status, answer.read()

    def peak_mb(self):
        return high_water(self.process.pid) / 2**20

    def stop(self):
        self.peak = self.peak_mb()
        self.process.terminate()
        if self.process.wait(60) != 0:
            raise SystemExit(self.log.read_text())


def timed(work, arguments):
    seconds = []
    for argument in arguments:
        begin = time.perf_counter()
        work(argument)
        seconds.append(time.perf_counter() - begin)
    return seconds


def result(who, seconds, peak_mb, note=""):
    tail = f"p99 {percentile(seconds, 0.99) * 1e3:.1f} ms" if len(seconds) >= 100 else ""
    return {"who": who, "seconds": seconds, "peak_mb": peak_mb, "note": "; ".join(filter(None, (note, tail)))}


def same(what, left, right):
    if left != right:
        raise SystemExit(f"{what}: the results differ, so there is nothing to compare:\n{str(left)[:500]}\n{str(right)[:500]}")


def load(ours, theirs):
    """The rows of silver.observation into a table of the same name, with the indexes a user would make."""
    types = ("text", "text", "text", "text", "timestamptz", "date", "float8", "float8", "text", "timestamptz")
    theirs.execute("CREATE SCHEMA silver")
    theirs.execute(f"CREATE TABLE silver.observation ({', '.join(map(' '.join, zip(COLUMNS, types)))})")
    with ours.cursor().copy(f"COPY (SELECT {', '.join(COLUMNS)} FROM silver.observation) TO STDOUT (FORMAT binary)") as out, \
            theirs.cursor().copy(f"COPY silver.observation ({', '.join(COLUMNS)}) FROM STDIN (FORMAT binary)") as into:
        for piece in out:
            into.write(piece)
    theirs.execute("CREATE INDEX ON silver.observation (patient_id, effective_time)")
    theirs.execute("CREATE UNIQUE INDEX ON silver.observation (id)")
    theirs.execute("VACUUM ANALYZE silver.observation")


def copied(connection, statement):
    """Digest of a copy in binary, as psql writes it. A client in Python takes longer over a row than either server."""
    return hashlib.sha256(psql(connection.info, statement, subprocess.PIPE)).hexdigest()


def psql(to, statement, out):
    address = f"host={to.host} port={to.port} user={to.user} dbname={to.dbname}"
    return subprocess.run(["psql", "--no-psqlrc", "-c", statement, address], stdin=subprocess.DEVNULL, stdout=out, check=True).stdout


def against_postgres(served, count, patients):
    """The same statements over the wire of both, in turns."""
    cluster = Cluster(shared_buffers="512MB", work_mem="256MB", effective_cache_size="4GB", maintenance_work_mem="512MB").start()
    try:
        with psycopg.connect(served.postgres, autocommit=True) as ours, psycopg.connect(cluster.address(), autocommit=True) as theirs:
            load(ours, theirs)
            few = patients[:20]
            same("look-up", [ours.execute(LOOK_UP, [p]).fetchall() for p in few], [theirs.execute(LOOK_UP, [p]).fetchall() for p in few])
            same("aggregate", [list(map(float_or_text, row)) for row in ours.execute(AGGREGATE)],
                 [list(map(float_or_text, row)) for row in theirs.execute(AGGREGATE)])
            select = f"SELECT {', '.join(COLUMNS)} FROM silver.observation"
            ordered = f"COPY ({select} ORDER BY id LIMIT 1000000) TO STDOUT (FORMAT binary)"
            same("copy", copied(ours, ordered), copied(theirs, ordered))
            copy = f"COPY ({select} LIMIT 1000000) TO STDOUT (FORMAT binary)"
            rows = f"{count:,} rows"
            for title, work, arguments in (
                    (f"readings of one patient among {rows}", lambda one, p: one.execute(LOOK_UP, [p]).fetchall(), patients[20:220]),
                    (f"aggregate over {rows}", lambda one, _: one.execute(AGGREGATE).fetchall(), range(7)),
                    (f"binary COPY of {min(count, 10**6):,} rows x {len(COLUMNS)} columns", lambda one, _: psql(one.info, copy, subprocess.DEVNULL), range(5))):
                for who, one, peak in (("vitalake", ours, served.peak_mb),
                                       ("PostgreSQL 15, indexed", theirs, lambda: tree_pss(cluster.server.pid) / 2**20)):
                    work(one, arguments[0])  # warm
                    yield result(f"{who}: {title}", timed(lambda argument, one=one: work(one, argument), arguments), peak())
    finally:
        cluster.stop()


def tree_pss(pid):
    """Memory of a process tree in bytes; what its processes share counts once."""
    root, total = psutil.Process(pid), 0
    for process in [root, *root.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):  # a session's, that ended just now
            total += process.memory_full_info().pss
    return total


def float_or_text(value):
    return value if value is None or isinstance(value, str) else float(value)


def sql(served, query):
    connection = served.connect()
    connection.request("POST", "/sql", json.dumps({"query": query, "limit": 10**6}), {"Content-Type": "application/json"})
    return json.loads(connection.getresponse().read())["rows"]


def await_row_index(lake):
    """Until the service has indexed the rows of the lake, which it begins at its start."""
    tables = ("patient", "observation", "vital_sign")
    deadline = time.monotonic() + 1800
    files = {table: len(deltalake.DeltaTable(str(lake / f"silver/{table}")).file_uris()) for table in tables}
    while any(len(list((lake / f"_vitalake/rows/silver.{table}").glob("*.rows"))) < count for table, count in files.items()):
        if time.monotonic() > deadline:
            raise SystemExit("the row index is not there yet")
        time.sleep(0.2)


def fhir(served, patients):
    """What is asked about one patient or resource, and the newest page of a code; answers are compared with SQL over the tables."""
    def ask(path, connection=None):
        status, body = served.get("/fhir/" + path, connection)
        assert status == 200, body
        return json.loads(body)

    def ids(bundle):
        return [entry["resource"]["id"] for entry in bundle.get("entry", [])]

    lastn, page = "Observation/$lastn?patient={}&category=vital-signs", "Observation?patient={}&_count=50&_sort=-date"
    for patient in patients[:10]:
        (newest,) = sql(served, f"SELECT max(effective_time) FROM silver.observation WHERE patient_id || '' = '{patient}' AND retracted_at IS NULL")
        expected = sql(served, f"SELECT id FROM silver.observation WHERE patient_id || '' = '{patient}' AND effective_time = TIMESTAMPTZ '{newest[0]}'")
        found = ids(ask(lastn.format(patient)))
        assert {one for (one,) in expected} <= set(found), (patient, found)
        found = ids(ask(page.format(patient)))
        assert len(found) == len(set(found)) <= 50 and found
    readings = [one for (one,) in sql(served, "SELECT id FROM silver.observation WHERE retracted_at IS NULL ORDER BY hash(id) LIMIT 1000")]
    for title, path, arguments, clients in (
            ("$lastn of one patient", lastn, patients, 4), ("search, a page of 50 of one patient", page, patients, 4),
            ("$everything of one patient", "Patient/{}/$everything", patients, 0),
            ("$stats of one patient", "Observation/$stats?subject={}&code=8480-6&statistic=average,maximum", patients, 0),
            ("read by id", "Observation/{}", readings, 4), ("history by id", "Observation/{}/_history", readings, 0),
            ("search by code, the newest 50", "Observation?code=85354-9&_sort=-date&_count=50&_id:not={}", readings[:41], 0)):
        connection = served.connect()
        some = arguments[20:220]
        ask(path.format(some[0]), connection)
        seconds = timed(lambda one, path=path, connection=connection: ask(path.format(one), connection), some)
        yield result(f"vitalake FHIR: {title}", seconds, served.peak_mb(), requests_per_second(served, path, some, clients) if clients else "")


def requests_per_second(served, path, arguments, clients):
    """Of so many clients, each on one connection of its own."""
    def run(some):
        connection = served.connect()
        for argument in some:
            status, body = served.get("/fhir/" + path.format(argument), connection)
            assert status == 200, body

    work = [arguments[i::clients] * 5 for i in range(clients)]
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        begin = time.perf_counter()
        list(pool.map(run, work))
        rate = sum(map(len, work)) / (time.perf_counter() - begin)
    return f"{rate:.0f} requests/s from {clients} clients"


def probes(served):
    """Health and metrics while every place for statements is taken by a heavy one."""
    ended, answered = threading.Event(), []

    def heavy():
        while not ended.is_set():
            with contextlib.suppress(KeyError, http.client.HTTPException, OSError):  # no rows: its time was up
                answered.append(sql(served, HEAVY))

    def probe(path, connection):
        status, body = served.get(path, connection)
        assert status == 200, body

    threads = [threading.Thread(target=heavy) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for path in ("/livez", "/metrics"):
            connection = served.connect()
            seconds = timed(lambda _, path=path, connection=connection: probe(path, connection), range(500))
            yield result(f"vitalake HTTP: {path} while heavy statements run", seconds, served.peak_mb())
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    if not answered:
        raise SystemExit("no heavy statement was answered: there was no load")


def main():
    binary, lake, count = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
    shutil.rmtree(lake / "_vitalake/rows", ignore_errors=True)  # an earlier build may have made it
    served = Served(binary, lake)
    try:
        await_row_index(lake)
        patients = [patient for (patient,) in sql(served, """SELECT patient_id FROM silver.observation WHERE retracted_at IS NULL
          GROUP BY 1 HAVING count(*) >= 2 ORDER BY 1""")]
        random.Random(4).shuffle(patients)
        assert len(patients) >= 220, f"only {len(patients)} patients have two readings: give more rows"
        results = [*fhir(served, patients), *probes(served), *against_postgres(served, count, patients)]
    finally:
        served.stop()
    print(json.dumps({"results": results, "seconds": sum(statistics.median(one["seconds"]) for one in results)}))


if __name__ == "__main__":
    main()
