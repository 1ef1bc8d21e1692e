-- Readings received in the last 5 minutes whose code, as sent or computed, is A, AA, HH or LL. The
-- computed code of a vital sign is that of its age, where the patient's is known; of a value with a
-- comparator ("< 190") what is certain.
-- view
WITH reading AS (
  SELECT id_space, id, patient_id, received_at, effective_time, effective_date, code, quality,
    systolic_pressure_value, diastolic_pressure_value, NULL::DOUBLE AS value, 'mm[Hg]' AS unit,
    systolic_interpretation_code, diastolic_interpretation_code, NULL AS interpretation_code,
    NULL AS comparator, computed_interpretation_code
  FROM silver.observation
  WHERE received_at > now() - INTERVAL 5 MINUTES AND retracted_at IS NULL
  UNION ALL
  SELECT id_space, id, patient_id, received_at, effective_time, effective_date, code, quality,
    NULL, NULL, value, unit, NULL, NULL, interpretation, comparator,
    CASE code WHEN '8480-6' THEN bp_certain_interpretation(value, comparator, NULL, NULL)
      WHEN '8462-4' THEN bp_certain_interpretation(NULL, NULL, value, comparator) END
  FROM silver.vital_sign
  WHERE received_at > now() - INTERVAL 5 MINUTES AND retracted_at IS NULL AND panel IS NULL
), judged AS (
  SELECT r.* REPLACE (coalesce(r.computed_interpretation_code, vital_interpretation(r.code, r.value,
      r.unit, date_sub('year', p.birth_date, coalesce(r.effective_date, r.received_at::DATE)), r.comparator))
      AS computed_interpretation_code), p.family_name, p.given_name
  FROM reading r
  LEFT JOIN silver.patient p ON p.id_space = r.id_space AND p.id = r.patient_id
    AND p.retracted_at IS NULL
)
SELECT r.id_space, r.id, r.patient_id, r.family_name, r.given_name, r.received_at,
  r.effective_time, r.effective_date, r.code, r.systolic_pressure_value,
  r.diastolic_pressure_value, r.value, r.unit, r.systolic_interpretation_code,
  r.diastolic_interpretation_code, r.interpretation_code, r.computed_interpretation_code, r.quality
FROM judged r
WHERE coalesce(r.systolic_interpretation_code IN ('A', 'AA', 'HH', 'LL'), false)
  OR coalesce(r.diastolic_interpretation_code IN ('A', 'AA', 'HH', 'LL'), false)
  OR coalesce(r.interpretation_code IN ('A', 'AA', 'HH', 'LL'), false)
  OR coalesce(r.computed_interpretation_code IN ('A', 'AA', 'HH', 'LL'), false)
