-- Every vital sign of a person per local day and unit: values of two units have no mean.
-- key: id_space, patient_id, code, day, unit
-- person: patient_id
-- day: day
-- source: silver.patient(id), silver.vital_sign(patient_id, effective_date)
-- clustered: day, patient_id
WITH reading AS (
  SELECT v.id_space, coalesce(l.person_id, v.patient_id) AS patient_id, v.code,
    v.effective_date AS day, v.unit, v.value,
    TRY_CAST(v.value AS DECIMAL(18, 6)) AS exact
  FROM silver.vital_sign v
  LEFT JOIN person_link l ON l.id_space = v.id_space AND l.patient_id = v.patient_id
  WHERE v.patient_id IS NOT NULL AND v.code IS NOT NULL AND v.value IS NOT NULL
    AND v.effective_date IS NOT NULL AND v.retracted_at IS NULL
    AND v.status IN ('preliminary', 'final', 'amended', 'corrected')
    AND (coalesce(v.quality, '') = ''
      OR (concat(' ', v.quality, ' ') NOT LIKE '% implausible %'
        AND concat(' ', v.quality, ' ') NOT LIKE '% repeat_of %'))
)
SELECT id_space, patient_id, code, day, unit,
  count(*) AS readings,
  -- Values too large for the exact sum are added one by one, by size: the same sum each time.
  (coalesce(CAST(sum(exact) AS DOUBLE), 0)
    + coalesce(list_sum(list_sort(list(value) FILTER (exact IS NULL))), 0)) / count(*) AS mean,
  min(value) AS min, max(value) AS max
FROM reading
GROUP BY id_space, patient_id, code, day, unit
