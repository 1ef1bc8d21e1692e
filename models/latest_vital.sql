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
    AND (coalesce(v.quality, '') = ''
      OR (concat(' ', v.quality, ' ') NOT LIKE '% implausible %'
        AND concat(' ', v.quality, ' ') NOT LIKE '% repeat_of %'))
),
newest AS (
  SELECT id_space, person, code, max(taken) AS taken FROM usable GROUP BY id_space, person, code
),
ordered AS (
  SELECT u.id_space, u.person, u.code, u.display, u.value, u.unit, u.comparator, u.quality,
    u.effective_time, u.effective_date, u.id, row_number() OVER (
      PARTITION BY u.id_space, u.person, u.code ORDER BY u.id DESC, u.component DESC) AS place
  FROM usable u
  JOIN newest n ON n.id_space = u.id_space AND n.person = u.person AND n.code = u.code
    AND n.taken IS NOT DISTINCT FROM u.taken
)
SELECT id_space, person AS patient_id, code, display, value, unit, comparator, quality,
  effective_time, effective_date, id AS observation_id
FROM ordered
WHERE place = 1
