"""Queries larger than memory: they go to disk, where the settings say, and leave nothing there."""

import concurrent.futures
import time

from product import write

# About 400 MB to sort, with 96 MB for it.
QUERY = "SELECT i, repeat('x', 100) || i AS s FROM range(3000000) t(i) ORDER BY hash(i)"
NOWHERE = ("--format", "csv", "-o", "/dev/null")
MEMORY = {"VITALAKE_MEMORY": "192MB"}


def spilled(folder, work):
    """The result of `work`, and whether files were seen in `folder` meanwhile."""
    seen = False
    with concurrent.futures.ThreadPoolExecutor() as pool:
        future = pool.submit(work)
        while not future.done():
            seen = seen or any(f.is_file() for f in folder.rglob("*"))
            time.sleep(0.01)
        return future.result(), seen


def test_inside_the_lake_unless_told_otherwise(lake):
    lake.run("init")
    before = sorted(lake.path.rglob("*"))
    _, seen = spilled(lake.path / "_vitalake", lambda: lake.run("sql", QUERY, *NOWHERE, env=MEMORY))
    assert seen
    assert [f for f in sorted(lake.path.rglob("*")) if f not in before and f.is_file()] == []


def test_where_the_setting_says(lake, tmp_path):
    config = write(tmp_path / "conf/vitalake.yaml", "engine: {spill: ../fast/disk}\n")
    _, seen = spilled(tmp_path / "fast/disk", lambda: lake.run(
        "--config", config, "sql", QUERY, *NOWHERE, env=MEMORY))
    assert seen
    assert list((tmp_path / "fast/disk").iterdir()) == []
    assert "no effect" not in lake.run("--config", config, "config", "check").stdout


def test_two_at_once_do_not_disturb_each_other(lake):
    lake.run("init")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        runs = [pool.submit(lake.run, "sql", QUERY, *NOWHERE, env=MEMORY) for _ in range(2)]
        for done in runs:
            done.result()


def test_a_spill_folder_that_cannot_be_made_is_named(lake, tmp_path):
    write(tmp_path / "file", "")
    done = lake.run("sql", "SELECT 1", env={"VITALAKE_ENGINE_SPILL": str(tmp_path / "file/spill")}, expect=1)
    assert "file/spill" in done.stderr
