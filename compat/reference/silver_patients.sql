-- silver.patient under the reference platform's names. What was retracted is left out: these
-- columns could not tell. Ids of several id spaces stand side by side.
SELECT resource_type, id, family_name, given_name, work_phone, mobile_phone, gender, active,
  birth_date, city, district, state, line, postal_code, ingestion_date, update_date
FROM silver.patient
WHERE retracted_at IS NULL
