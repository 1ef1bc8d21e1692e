"""Inputs of the benchmarks, made once in build/bench and kept."""

import json
import pathlib
import random
import shutil
import subprocess

import deltalake
import pyarrow

import rows

ROOT = pathlib.Path(__file__).resolve().parents[1]
BINARY = ROOT / "build/release/vitalake"
BENCH_UPSERT = ROOT / "build/release/bench_upsert"
WORK = ROOT / "build/bench"


def vitalake(*arguments):
    subprocess.run([str(BINARY), *map(str, arguments)], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def made(path, make):
    """`path`, made by `make(temporary)` if it is not there; never half-made."""
    path = WORK / path
    if not path.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        part = path.with_name("part-" + path.name)
        remove(part)
        print(f"  making {path.name}", flush=True)
        make(part)
        part.rename(path)
    return path


def remove(path):
    shutil.rmtree(path, ignore_errors=True)
    pathlib.Path(path).unlink(missing_ok=True)


def observations(count=500_000):
    return made(f"observations-{count}.ndjson", lambda part: vitalake("generate", "observations", count, "--to", part))


def corrected(resource):
    """A later version of a reading, with one value changed."""
    resource["meta"] = {**resource.get("meta", {}), "versionId": "2", "lastUpdated": "2026-12-01T06:00:00.000Z"}
    resource["status"] = "amended"
    quantity = resource["component"][0].get("valueQuantity")
    if quantity:
        quantity["value"] = float(quantity["value"]) + 1
    return resource


def updates(changed=25_000, new=25_000):
    """Corrections of readings spread over the whole file, and new readings beside them."""
    def make(part):
        chance = random.Random(2)
        lines = observations().read_text().splitlines()
        out = []
        for number in chance.sample(range(len(lines)), changed + new):
            resource = json.loads(lines[number])
            if len(out) < changed:
                resource = corrected(resource)
            else:
                resource["id"] = f"new-{number:06d}"
                for identifier in resource.get("identifier", []):
                    identifier["value"] = f"urn:uuid:new-{number:06d}"
            out.append(json.dumps(resource))
        chance.shuffle(out)
        part.write_text("\n".join(out) + "\n")
    return made(f"updates-{changed}-{new}.ndjson", make)


def staged(source):
    """The rows of an NDJSON file as `vitalake ingest` stages them, for the upsert by itself."""
    def make(part):
        part.mkdir()
        subprocess.run([str(BENCH_UPSERT), "stage", str(lake()), str(source), str(part)], check=True)
    return made("staged-" + source.stem, make)


def repeat():
    """One reading as it was sent before."""
    def make(part):
        with observations().open() as lines:
            part.write_text(lines.readline())
    return made("repeat.ndjson", make)


def flat_parquet(source):
    """The flat rows of an NDJSON file, for rivals whose merge starts from rows."""
    return made(source.stem + ".parquet", lambda part: rows.connect().sql(
        f"COPY ({rows.duckdb_query(source)}) TO '{part}' (FORMAT parquet)"))


def rival_table(millions=None):
    """A delta-rs table of the flat rows, change feed on: 500,000, or that many millions in time order."""
    source = flat_parquet(observations())
    query = f"SELECT * FROM '{source}'"
    if millions:
        query = f"""WITH x AS (SELECT *, md5(id || k) h FROM '{source}', range({millions * 2}) r(k))
          SELECT * EXCLUDE (id, h, k) REPLACE (effective_time + to_seconds(k * 37) AS effective_time),
            CASE k WHEN 0 THEN id ELSE h[1:8]||'-'||h[9:12]||'-4'||h[14:16]||'-a'||h[18:20]||'-'||h[21:32] END AS id
          FROM x ORDER BY effective_time"""

    def make(part):
        deltalake.write_deltalake(str(part), rows.connect().sql(query).to_arrow_reader(100_000), target_file_size=32 << 20,
                                  configuration={"delta.enableChangeDataFeed": "true"},
                                  writer_properties=deltalake.WriterProperties(compression="ZSTD"))
    return made(f"rival-{millions or 'half'}m", make)


def silver_rows(source):
    """What the readings of an NDJSON file are in silver.observation, all its columns, for a rival's merge into a copy of that table."""
    def make(part):
        known = part.with_name("known-" + part.name)
        remove(known)
        shutil.copytree(lake(), known)
        vitalake("--lake", known, "ingest", source)
        connection = rows.connect()
        connection.register("t", deltalake.DeltaTable(str(known / "silver/observation")).to_pyarrow_table())
        connection.sql(f"COPY (SELECT * FROM t SEMI JOIN read_json('{source}', columns={{id: 'VARCHAR'}}) u ON t.id = u.id) TO '{part}' (FORMAT parquet)")
        remove(known)
    return made(f"silver-{source.stem}.parquet", make)


def lake(millions=None):
    """A lake of the same readings: ingested, and for millions multiplied in silver.observation as a writer of the
    product's own schema would (files of 400,000 rows in time order). Then a reading is sent again, which changes nothing,
    but makes it a lake in use: the other writer's rows are in gold, and the keys of its files are indexed."""
    def make(part):
        vitalake("--lake", part, "ingest", observations())
        if millions:
            multiply(part / "silver/observation", millions * 2)
        vitalake("--lake", part, "ingest", repeat())
    return made(f"lake-{millions or 'half'}m", make)


def patients():
    return made("patients-20000.ndjson", lambda part: vitalake("generate", "patients", 20_000, "--to", part))


def corrections(kind):
    """1,000 corrected readings of random patients: of one day ("day"), or of any ("random")."""
    def make(part):
        chance, lines = random.Random(3), observations().read_text().splitlines()
        if kind == "day":
            lines = [line for line in lines if '"effectiveDateTime":"2026-03-15' in line]
        part.write_text("".join(json.dumps(corrected(json.loads(line))) + "\n" for line in chance.sample(lines, 1_000)))
    return made(f"corrections-{kind}.ndjson", make)


def gold_lake(rows_wanted):
    """A lake with patients whose gold tables are up to date; more than half a million readings by multiplying silver."""
    def make(part):
        vitalake("--lake", part, "ingest", patients(), observations())
        if rows_wanted > 500_000:
            for table in ("observation", "vital_sign"):
                multiply(part / "silver" / table, rows_wanted // 500_000)
            vitalake("--lake", part, "gold")
    return made(f"gold-lake-{rows_wanted}", make)


def lagging_lake(rows_wanted, kind):
    """The same with corrections in silver that gold does not know yet."""
    def make(part):
        whole = gold_lake(rows_wanted)
        shutil.copytree(whole, part)
        vitalake("--lake", part, "ingest", corrections(kind))
        remove(part / "gold")
        shutil.copytree(whole / "gold", part / "gold")
    return made(f"gold-lagging-{kind}-{rows_wanted}", make)


def serve_lake(rows_wanted):
    """A lake of so many readings of patients, of whom each has about twenty."""
    def make(part):
        part.mkdir()
        people = str(max(400, min(100_000, rows_wanted // 20)))
        vitalake("generate", "patients", people, "--to", part / "patients.ndjson")
        vitalake("generate", "observations", rows_wanted, "--patients", part / "patients.ndjson", "--to", part / "observations.ndjson")
        vitalake("--lake", part / "lake", "ingest", part / "patients.ndjson", part / "observations.ndjson")
        for source in ("patients", "observations"):
            (part / f"{source}.ndjson").unlink()
    return made(f"serve-{rows_wanted}", make) / "lake"


def multiply(table, times):
    connection = rows.connect()
    connection.register("t", deltalake.DeltaTable(str(table)).to_pyarrow_table())
    names = connection.sql("SELECT * FROM t LIMIT 0").columns
    query = f"""WITH x AS (SELECT *, md5(id || k) h FROM t, range(1, {times}) r(k))
      SELECT {', '.join(f'"{n}"' for n in names)} FROM (
        SELECT * EXCLUDE (h, k) REPLACE (h[1:8]||'-'||h[9:12]||'-4'||h[14:16]||'-a'||h[18:20]||'-'||h[21:32] AS id,
          effective_time + to_seconds(k * 37) AS effective_time) FROM x ORDER BY effective_time)"""
    for batch in connection.sql(query).to_arrow_reader(400_000):
        deltalake.write_deltalake(str(table), pyarrow.Table.from_batches([batch]), mode="append",
                                  writer_properties=deltalake.WriterProperties(compression="ZSTD"))
