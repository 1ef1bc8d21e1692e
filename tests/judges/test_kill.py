"""Killed anywhere, or run beside another: the tables end the same."""

import random
import shutil
import signal
import subprocess
import time

import pytest

from product import Lake, command, keyed_rows

KILLS = 60
TABLES = ("silver.patient", "silver.observation", "silver.vital_sign", "gold.patient_observations", "gold.bp_daily")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, few_files):
    """The same files ingested once, undisturbed, and how long that took."""
    lake = Lake(tmp_path_factory.mktemp("whole") / "lake")
    start = time.monotonic()
    lake.ingest(*few_files)
    return lake, time.monotonic() - start


def assert_same(lake, whole):
    for table in TABLES:
        assert keyed_rows(lake, table) == keyed_rows(whole, table), table


def start_ingest(lake, files):
    return subprocess.Popen(command("--lake", lake.path, "ingest", *files), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_killed_at_random_moments(tmp_path, few_files, whole):
    """Lakes that are killed once or several times, each before it may finish."""
    reference, seconds = whole
    chance = random.Random(20261122)
    killed = lakes = 0
    while killed < KILLS:
        lakes += 1
        assert lakes < 4 * KILLS, f"only {killed} were killed before they ended"
        lake = Lake(tmp_path / f"lake{lakes}")
        times = chance.choice([1, 2, 5, 8])
        for again in range(times):
            process = start_ingest(lake, few_files)
            time.sleep(chance.uniform(0, seconds))
            process.send_signal(signal.SIGKILL)
            output, _ = process.communicate(timeout=60)
            if process.returncode != -signal.SIGKILL:
                assert process.returncode == 0, output
                if not again:
                    seconds *= 0.9  # a run takes less time than the first one did
                break
            killed += 1
        lake.ingest(*few_files)
        assert_same(lake, reference)
        # Files of the finished run are not copied again; every record is in the ledger's balance.
        assert lake.counts()["written"] == reference.counts()["written"], lakes
        shutil.rmtree(lake.path)


def test_two_runs_at_once_lose_nothing(tmp_path, few_files, whole):
    reference, _ = whole
    for attempt in range(5):
        lake = Lake(tmp_path / f"lake{attempt}")
        halves = few_files[0::2], few_files[1::2]
        processes = [start_ingest(lake, half) for half in halves]
        for process in processes:
            output, _ = process.communicate(timeout=120)
            assert process.returncode == 0, output
        assert_same(lake, reference)
        assert lake.counts() == {**reference.counts()}


def test_two_runs_over_the_same_files(tmp_path, few_files, whole):
    reference, _ = whole
    lake = Lake(tmp_path / "lake")
    processes = [start_ingest(lake, few_files) for _ in range(2)]
    for process in processes:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
    assert_same(lake, reference)
    counts = lake.counts()
    assert counts["received"] == 2 * reference.counts()["received"]
    assert counts["written"] == reference.counts()["written"]
