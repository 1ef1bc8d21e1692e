"""A service that PostgreSQL's clients are pointed at, and a real PostgreSQL that holds the same tables."""

import re
import subprocess
import time

import psycopg
import pytest

from postgres_cluster import Cluster
from product import run
from streams import Service

PATIENTS, READINGS = 40, 600

# It would not end while anybody waits.
ENDLESS = "generate_series(1, 100000000000000) as t(i)"
SLOW = f"select count(*) from {ENDLESS}"


class Postgres(Service):
    """A service that listens for PostgreSQL clients, at a port the system chooses."""

    def __init__(self, folder, address="127.0.0.1:0", serve=""):
        super().__init__(folder, None, "unused", source="http: {}",
                         extra=f'serve: {{http: "127.0.0.1:0", postgres: "{address}"{serve}}}\n')

    def start(self, level="info"):
        process = super().start(level)
        deadline = time.monotonic() + 30
        while not (found := re.search(r"postgres: listening at ([\d.]+):(\d+)", self.text())):
            assert time.monotonic() < deadline and process.poll() is None, self.text()
            time.sleep(0.02)
        self.port = int(found[2])
        return process

    def dsn(self, **more):
        settings = {"host": "127.0.0.1", "port": self.port, "dbname": "lake", "user": "judge", **more}
        return " ".join(f"{name}={value}" for name, value in settings.items())

    def connect(self, **more):
        return psycopg.connect(self.dsn(**more), autocommit=True)

    def psql(self, *arguments, expect=0, **settings):
        done = subprocess.run(["psql", "-X", "-v", "ON_ERROR_STOP=1", self.dsn(**settings), *arguments],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout if expect == 0 else done.stderr


def filled(folder):
    """A service that runs over PATIENTS patients and READINGS readings."""
    run("generate", "patients", PATIENTS, "--to", folder / "patients.ndjson")
    run("generate", "observations", READINGS, "--patients", folder / "patients.ndjson", "--to", folder / "observations.ndjson")
    served = Postgres(folder)
    served.lake.ingest(folder / "patients.ndjson", folder / "observations.ndjson")
    served.start()
    return served


def copied(service):
    """PostgreSQL with the lake's tables, taken over by COPY."""
    cluster = Cluster().start()
    with psycopg.connect(cluster.address(), autocommit=True) as target, service.connect() as source:
        target.execute("create schema silver")
        for table in ("patient", "observation"):
            with source.execute(f"select * from silver.{table} limit 0") as empty:
                columns = [(column.name, target.execute("select format_type(%s, null)", [column.type_code]).fetchone()[0])
                           for column in empty.description]
            target.execute(f"create table silver.{table} ({', '.join(f'{name} {type}' for name, type in columns)})")
            with (source.cursor().copy(f"copy silver.{table} to stdout (format csv)") as out,
                  target.cursor().copy(f"copy silver.{table} from stdin (format csv)") as into):
                for piece in out:
                    into.write(piece)
    return cluster


# ---- Fixtures of the files that judge it: each has a service of its own.

@pytest.fixture(scope="module")
def service(tmp_path_factory):
    served = filled(tmp_path_factory.mktemp("postgres"))
    yield served
    served.stop()


@pytest.fixture
def client(service):
    with service.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def real(service):
    cluster = copied(service)
    yield cluster
    cluster.stop()
