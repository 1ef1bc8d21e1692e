-- The latest usable value of every vital sign of a person.
-- key: id_space, patient_id, code
-- person: patient_id
-- source: silver.patient(id), silver.vital_sign(patient_id)
-- clustered: patient_id
WITH usable AS (
  SELECT v.id_space, coalesce(l.person_id, v.patient_id) AS person, v.code, v.display, v.value,
    v.unit, v.comparator, v.quality, v.effective_time, v.effective_date, v.id, v.component,
    coalesce(v.effective_time, CAST(v.effective_date AS TIMESTAMP)) AS taken
  FROM silver.vital_sign v
  LEFT JOIN person_link l ON l.id_space = v.id_space AND l.patient_id = v.patient_id
  WHERE v.patient_id IS NOT NULL AND v.code IS NOT NULL AND v.value IS NOT NULL
    AND v.retracted_at IS NULL
    AND v.status IN ('preliminary', 'final', 'amended', 'corrected')
    AND concat(' ', coalesce(v.quality, ''), ' ') NOT LIKE '% implausible %'
    AND concat(' ', coalesce(v.quality, ''), ' ') NOT LIKE '% repeat_of %'
),
ordered AS (
  SELECT u.*, row_number() OVER (
      PARTITION BY id_space, person, code
      ORDER BY taken DESC, id DESC, component DESC) AS recency
  FROM usable u
)
SELECT id_space, person AS patient_id, code, display, value, unit, comparator, quality,
  effective_time, effective_date, id AS observation_id
FROM ordered
WHERE recency = 1
