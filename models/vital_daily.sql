-- Every vital sign of a person per local day.
-- key: id_space, patient_id, code, day
-- person: patient_id
-- day: day
-- source: silver.patient(id), silver.vital_sign(patient_id, effective_date)
-- clustered: day, patient_id
SELECT v.id_space, coalesce(l.person_id, v.patient_id) AS patient_id, v.code,
  v.effective_date AS day, max(v.unit) AS unit,
  count(v.value) AS readings,
  CAST(sum(CAST(v.value AS DECIMAL(18, 6))) AS DOUBLE) / count(v.value) AS mean,
  min(v.value) AS min, max(v.value) AS max
FROM silver.vital_sign v
LEFT JOIN person_link l ON l.id_space = v.id_space AND l.patient_id = v.patient_id
WHERE v.patient_id IS NOT NULL AND v.code IS NOT NULL AND v.value IS NOT NULL
  AND v.effective_date IS NOT NULL AND v.retracted_at IS NULL
  AND v.status IN ('preliminary', 'final', 'amended', 'corrected')
  AND (coalesce(v.quality, '') = ''
    OR (concat(' ', v.quality, ' ') NOT LIKE '% implausible %'
      AND concat(' ', v.quality, ' ') NOT LIKE '% repeat_of %'))
GROUP BY v.id_space, coalesce(l.person_id, v.patient_id), v.code, v.effective_date
