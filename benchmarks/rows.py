"""The flat blood-pressure row that every contestant makes, and the fingerprint that says two made the same.

A component is found by its LOINC code, never by its place: one in ten readings sends diastolic first.
"""

import os

import duckdb

THREADS = int(os.environ.get("THREADS", os.cpu_count()))

# What DuckDB is told about the input: explicit columns, its fastest way.
COLUMNS = """{id:'VARCHAR', status:'VARCHAR', meta:'STRUCT(lastUpdated VARCHAR)',
  category:'STRUCT(coding STRUCT(code VARCHAR)[])[]', code:'STRUCT(coding STRUCT(code VARCHAR)[])',
  subject:'STRUCT(reference VARCHAR)', effectiveDateTime:'VARCHAR',
  component:'STRUCT(code STRUCT(coding STRUCT(system VARCHAR, code VARCHAR)[]),
    "valueQuantity" STRUCT("value" DOUBLE, unit VARCHAR), interpretation STRUCT(coding STRUCT(code VARCHAR)[])[])[]'}"""


def duckdb_query(path):
    """SQL over an NDJSON file of Observations that gives the flat row."""
    part = ("list_filter(component, lambda x: len(list_filter(x.code.coding, "
            "lambda c: c.system = 'http://loinc.org' AND c.code = '{}')) > 0)[1]")
    return f"""
      WITH o AS (SELECT *, {part.format('8480-6')} s, {part.format('8462-4')} d
                 FROM read_json('{path}', format='newline_delimited', columns={COLUMNS}))
      SELECT id, status, replace(subject.reference, 'Patient/', '') patient_id, effectiveDateTime::TIMESTAMPTZ effective_time,
        meta.lastUpdated::TIMESTAMPTZ last_updated, category[1].coding[1].code category_code, code.coding[1].code code,
        s.valueQuantity.value::DOUBLE systolic_value, s.valueQuantity.unit systolic_unit, s.interpretation[1].coding[1].code systolic_interpretation,
        d.valueQuantity.value::DOUBLE diastolic_value, d.valueQuantity.unit diastolic_unit, d.interpretation[1].coding[1].code diastolic_interpretation
      FROM o"""


def connect():
    connection = duckdb.connect()
    connection.sql(f"SET threads = {THREADS}; SET TimeZone = 'UTC'")
    return connection


FINGERPRINT = """
  SELECT count(*) AS row_count, count(DISTINCT id) AS ids, count(DISTINCT replace(patient_id, 'Patient/', '')) AS patients,
    sum(systolic_value::DOUBLE)::DECIMAL(18, 3)::VARCHAR AS systolic, sum(diastolic_value::DOUBLE)::DECIMAL(18, 3)::VARCHAR AS diastolic,
    count(diastolic_value) AS with_diastolic, count(systolic_interpretation) AS interpreted,
    count(*) FILTER (status = 'amended') AS amended,
    sum(hash(id, replace(patient_id, 'Patient/', ''), epoch_us(effective_time::TIMESTAMPTZ), epoch_us(last_updated::TIMESTAMPTZ),
             systolic_value::DOUBLE, diastolic_value::DOUBLE))::VARCHAR AS hashes
  FROM {}"""


def fingerprint(relation, connection=None):
    """Counts, sums and a hash of the rows of `relation` (a DuckDB table expression); equal = the same rows."""
    (row,) = (connection or connect()).sql(FINGERPRINT.format(relation)).to_arrow_table().to_pylist()
    return row


def fingerprint_delta(path):
    from deltalake import DeltaTable
    connection = connect()
    connection.register("t", DeltaTable(str(path)).to_pyarrow_table())
    return fingerprint("t", connection)
