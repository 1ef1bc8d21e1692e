-- silver.observation under the reference platform's names. What was retracted is left out: these
-- columns could not tell. Ids of several id spaces stand side by side.
SELECT id, status, category_code, code, patient_id, resource_type, effective_date, practitioner,
  systolic_pressure_value, systolic_pressure_unit, systolic_interpretation,
  diastolic_pressure_value, diastolic_pressure_unit, diastolic_interpretation, ingestion_date
FROM silver.observation
WHERE retracted_at IS NULL
