"""A real PostgreSQL, started for the tests: what answers are compared with."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from kafka_broker import free_ports

VERSION = 15
BINARIES = pathlib.Path(f"/usr/lib/postgresql/{VERSION}/bin")


class Cluster:
    """PostgreSQL does not run as root: then it runs as the user its package made."""

    def __init__(self, **settings):
        """`settings`: of the server, as in postgresql.conf."""
        self.settings = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vitalake-postgres-"))
        (self.port,) = free_ports(1)
        self.prefix = []
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            self.prefix = ["runuser", "-u", "postgres", "--"]
        self.server = None

    def start(self):
        data = self.folder / "data"
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        subprocess.run([*self.prefix, BINARIES / "initdb", "-D", data, "-U", "judge", "-A", "trust", "--no-sync",
                        "-E", "UTF8", "--locale=C.UTF-8"],
                       check=True, capture_output=True, cwd="/", env=environment)
        self.server = subprocess.Popen(
            [*self.prefix, BINARIES / "postgres", "-D", data, "-p", str(self.port), "-k", self.folder,
             "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "TimeZone=UTC", *self.settings],
            stdout=subprocess.DEVNULL, stderr=(self.folder / "log").open("w"), cwd="/", env=environment)
        deadline = time.monotonic() + 30
        while subprocess.run([BINARIES / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode:
            assert time.monotonic() < deadline and self.server.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.05)
        return self

    def address(self, database="postgres"):
        return f"host=127.0.0.1 port={self.port} user=judge dbname={database}"

    def stop(self):
        self.server.terminate()
        try:
            self.server.wait(timeout=20)
        finally:
            subprocess.run([*self.prefix, "rm", "-rf", self.folder / "data"], check=False)
            shutil.rmtree(self.folder, ignore_errors=True)
