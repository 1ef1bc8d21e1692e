-- Readings received in the last 5 minutes whose code, as sent or computed, is A, AA, HH or LL.
-- view
WITH reading AS (
  SELECT id_space, id, patient_id, received_at, effective_time, effective_date, code, quality,
    systolic_pressure_value, diastolic_pressure_value, NULL::DOUBLE AS value, 'mm[Hg]' AS unit,
    systolic_interpretation_code, diastolic_interpretation_code, NULL AS interpretation_code,
    computed_interpretation_code
  FROM silver.observation
  WHERE received_at > now() - INTERVAL 5 MINUTES AND retracted_at IS NULL
  UNION ALL
  SELECT id_space, id, patient_id, received_at, effective_time, effective_date, code, quality,
    NULL, NULL, value, unit, NULL, NULL, interpretation, NULL
  FROM silver.vital_sign
  WHERE received_at > now() - INTERVAL 5 MINUTES AND retracted_at IS NULL AND panel IS NULL
)
SELECT r.id_space, r.id, r.patient_id, p.family_name, p.given_name, r.received_at,
  r.effective_time, r.effective_date, r.code, r.systolic_pressure_value,
  r.diastolic_pressure_value, r.value, r.unit, r.systolic_interpretation_code,
  r.diastolic_interpretation_code, r.interpretation_code, r.computed_interpretation_code, r.quality
FROM reading r
LEFT JOIN silver.patient p ON p.id_space = r.id_space AND p.id = r.patient_id
  AND p.retracted_at IS NULL
WHERE coalesce(r.systolic_interpretation_code IN ('A', 'AA', 'HH', 'LL'), false)
  OR coalesce(r.diastolic_interpretation_code IN ('A', 'AA', 'HH', 'LL'), false)
  OR coalesce(r.interpretation_code IN ('A', 'AA', 'HH', 'LL'), false)
  OR coalesce(r.computed_interpretation_code IN ('A', 'AA', 'HH', 'LL'), false)
