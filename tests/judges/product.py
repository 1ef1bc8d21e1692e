"""The product as a user runs it: a command, a folder, and nothing else."""

import json
import os
import pathlib
import subprocess

import deltalake
import pyarrow.parquet

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("VITALAKE_BIN", ROOT / "build/release/vitalake"))
DATA = ROOT.parent / "shared/data"

OUTCOMES = ("written", "superseded", "duplicate", "quarantined", "out_of_scope")
# Differ between two runs over the same input: when a row was made, and where its copy lies.
PROCESSING = {"ingestion_date", "update_date", "source_partition", "run", "received_at"}


def command(*arguments):
    return [str(BINARY), *map(str, arguments)]


def run(*arguments, expect=0, env=None, timeout=120, cwd=None):
    """Runs the product; fails unless it ends with `expect` (a code, several, or None for any)."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VITALAKE_")}
    done = subprocess.run(command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=cwd,
                          timeout=timeout, env={**environment, **(env or {})})
    codes = (expect,) if isinstance(expect, int) else expect
    assert codes is None or done.returncode in codes, (
        f"{' '.join(map(str, arguments))}: ended with {done.returncode}, not {expect}\n{done.stdout}\n{done.stderr}")
    return done


class Lake:
    """One lake folder."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def run(self, *arguments, **kwargs):
        return run("--lake", self.path, *arguments, **kwargs)

    def ingest(self, *paths, **kwargs):
        return self.run("ingest", *paths, **kwargs)

    def sql(self, query):
        """Rows as dictionaries, through `--format json`."""
        rows = json.loads(self.run("sql", query, "--format", "json").stdout or "[]")
        assert isinstance(rows, list), rows
        return rows

    def value(self, query):
        """The one value of a one-row, one-column query."""
        (row,) = self.sql(query)
        (value,) = row.values()
        return value

    def rows(self, *arguments):
        """The rows a command gives, as an Arrow table: typed, through `--format parquet`."""
        target = self.path.parent / f"{self.path.name}-rows.parquet"
        target.unlink(missing_ok=True)
        self.run(*arguments, "--format", "parquet", "-o", target)
        return pyarrow.parquet.read_table(target)

    def select(self, query):
        return self.rows("sql", query)

    def tables(self):
        """Names of the Delta tables on disk, e.g. silver.patient; a run may be making folders and removing them."""
        folders = (pathlib.Path(folder) for folder, inside, _ in os.walk(self.path) if "_delta_log" in inside)
        return sorted(".".join(folder.relative_to(self.path).parts) for folder in folders)

    def folder(self, table):
        return self.path / table.replace(".", "/")

    def delta(self, table):
        return deltalake.DeltaTable(str(self.folder(table)))

    def read(self, table):
        """The table as delta-rs reads it: the product has no part in this."""
        return self.delta(table).to_pyarrow_table()

    def versions(self):
        return {table: self.delta(table).version() for table in self.tables()}

    def ledger(self):
        """One row per file of a finished run."""
        return [row for row in self.read("ops.ledger").to_pylist() if row["finished_at"] is not None]

    def counts(self):
        """Sums over the ledger, after checking that every row of it balances."""
        total = dict.fromkeys(("received", *OUTCOMES), 0)
        for row in self.ledger():
            assert row["received"] == sum(row[o] for o in OUTCOMES), f"does not balance: {row}"
            for name in total:
                total[name] += row[name]
        return total

    def quarantine(self):
        return self.read("ops.quarantine").to_pylist()

    def issues(self):
        return self.read("ops.issue").to_pylist()


def keyed_rows(lake, table, without=PROCESSING):
    """The table's rows without what processing adds, in a comparable order."""
    arrow = lake.read(table)
    names = sorted(set(arrow.column_names) - set(without))
    return sorted(map(repr, arrow.select(names).to_pylist()))


def write(path, content):
    """Writes a file: bytes, text, or anything else as JSON."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, (bytes, str)):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
