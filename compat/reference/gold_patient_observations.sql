-- gold.patient_observations under the reference platform's names. Ids of several id spaces stand
-- side by side.
SELECT avg_systolic_pressure, avg_diastolic_pressure, id, family_name, given_name, work_phone,
  mobile_phone, gender, birth_date, active, city, district, line, postal_code, state, update_date,
  ingestion_date
FROM gold.patient_observations
