"""Lakes and engines shared by the judges."""

import pathlib
import subprocess
import sys
import tarfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import engines  # noqa: E402
import synthea  # noqa: E402
from product import BINARY, DATA, Lake  # noqa: E402


def pytest_sessionstart(session):
    if not BINARY.exists():
        raise pytest.UsageError(f"{BINARY} is missing: run make build")
    if not (DATA / "README.md").exists():
        raise pytest.UsageError(f"the test data is missing: expected at {DATA}")


@pytest.fixture
def lake(tmp_path):
    """A lake that does not exist yet."""
    return Lake(tmp_path / "lake")


@pytest.fixture(scope="session")
def bundle_files(tmp_path_factory):
    """The Synthea bundles, unpacked: 120 patients, a hospital and a practitioner file."""
    folder = tmp_path_factory.mktemp("synthea")
    with tarfile.open(DATA / "synthea/bundles-120.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return sorted(folder.rglob("*.json"))


@pytest.fixture(scope="session")
def expected(bundle_files):
    return synthea.Bundles(bundle_files)


@pytest.fixture(scope="session")
def synthea_lake(tmp_path_factory, bundle_files):
    """All 120 patients in one run."""
    lake = Lake(tmp_path_factory.mktemp("synthea-lake") / "lake")
    lake.ingest(bundle_files[0].parent, timeout=300)
    return lake


@pytest.fixture(scope="session")
def few_files(bundle_files):
    """The smallest bundles: enough for tests that ingest again and again."""
    return sorted(bundle_files, key=lambda f: f.stat().st_size)[:12]


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    session = engines.Spark(tmp_path_factory.mktemp("spark"))
    yield session
    session.stop()


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    """A Kafka broker that runs."""
    from kafka_broker import Broker  # only the tests of streams need its client
    broker = Broker(tmp_path_factory.mktemp("kafka")).start()
    yield broker
    broker.stop()


def preloaded(name, folder):
    """Environment in which the product is run with what NAME.c, beside this file, puts before the system's calls."""
    library = folder / f"{name}.so"
    source = pathlib.Path(__file__).with_name(f"{name}.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", source, "-o", library, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}


@pytest.fixture(scope="session")
def disk_faults(tmp_path_factory):
    return preloaded("disk_faults", tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="session")
def kill_points(tmp_path_factory):
    return preloaded("kill_points", tmp_path_factory.mktemp("kill"))
