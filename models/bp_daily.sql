-- Blood pressure of a person per local day, with the band of the day's mean (a band, no category).
-- key: id_space, patient_id, day
-- person: patient_id
-- day: day
-- source: silver.patient(id), silver.observation(patient_id, effective_date), silver.vital_sign(patient_id, effective_date)
-- clustered: day, patient_id
WITH half AS (
  SELECT id_space, patient_id, effective_time, effective_date, device, code, value,
    CASE WHEN effective_time IS NULL THEN id END AS alone, id
  FROM silver.vital_sign
  WHERE panel IS NULL AND component IS NULL AND code IN ('8480-6', '8462-4')
    AND retracted_at IS NULL AND value IS NOT NULL
    AND status IN ('preliminary', 'final', 'amended', 'corrected')
    AND (coalesce(quality, '') = ''
      OR (concat(' ', quality, ' ') NOT LIKE '% implausible %'
        AND concat(' ', quality, ' ') NOT LIKE '% repeat_of %'))
),
numbered AS (
  SELECT id_space, patient_id, effective_time, effective_date, device, code, value, alone,
    row_number() OVER (
      PARTITION BY id_space, patient_id, effective_time, effective_date, device, code, alone
      ORDER BY id) AS place
  FROM half
),
-- As in patient_observations: one moment and device, one reading. Halves that were sent with two
-- local days (one moment, two offsets) stay each on its own.
single AS (
  SELECT id_space, patient_id, effective_date,
    max(CASE WHEN code = '8480-6' THEN value END) AS systolic,
    max(CASE WHEN code = '8462-4' THEN value END) AS diastolic
  FROM numbered
  GROUP BY id_space, patient_id, effective_time, effective_date, device, alone, place
),
reading AS (
  SELECT id_space, patient_id, effective_date,
    systolic_pressure_value AS systolic, diastolic_pressure_value AS diastolic
  FROM silver.observation
  WHERE retracted_at IS NULL
    AND (systolic_pressure_value IS NOT NULL OR diastolic_pressure_value IS NOT NULL)
    AND status IN ('preliminary', 'final', 'amended', 'corrected')
    AND (coalesce(quality, '') = ''
      OR (concat(' ', quality, ' ') NOT LIKE '% implausible %'
        AND concat(' ', quality, ' ') NOT LIKE '% repeat_of %'))
  UNION ALL
  SELECT id_space, patient_id, effective_date, systolic, diastolic
  FROM single
  WHERE coalesce(systolic - diastolic, 10) >= 10
),
-- What no sum can hold is no pressure: NULL, and in no mean.
exact_reading AS (
  SELECT id_space, patient_id, effective_date, systolic, diastolic,
    TRY_CAST(systolic AS DECIMAL(18, 6)) AS exact_systolic,
    TRY_CAST(diastolic AS DECIMAL(18, 6)) AS exact_diastolic
  FROM reading
),
day AS (
  SELECT r.id_space, coalesce(l.person_id, r.patient_id) AS patient_id, r.effective_date AS day,
    count(*) AS readings,
    CAST(sum(r.exact_systolic) AS DOUBLE) / nullif(count(r.exact_systolic), 0) AS mean_systolic,
    CAST(sum(r.exact_diastolic) AS DOUBLE) / nullif(count(r.exact_diastolic), 0) AS mean_diastolic,
    min(r.systolic) AS min_systolic, max(r.systolic) AS max_systolic,
    min(r.diastolic) AS min_diastolic, max(r.diastolic) AS max_diastolic
  FROM exact_reading r
  LEFT JOIN person_link l ON l.id_space = r.id_space AND l.patient_id = r.patient_id
  WHERE r.patient_id IS NOT NULL AND r.effective_date IS NOT NULL
  GROUP BY r.id_space, coalesce(l.person_id, r.patient_id), r.effective_date
)
SELECT d.id_space, d.patient_id, d.day, d.readings, d.mean_systolic, d.mean_diastolic,
  d.min_systolic, d.max_systolic, d.min_diastolic, d.max_diastolic,
  CASE
    WHEN d.mean_systolic > 180 OR d.mean_diastolic > 120 THEN 'severe'
    WHEN d.mean_systolic >= 140 OR d.mean_diastolic >= 90 THEN 'stage 2'
    WHEN d.mean_systolic >= 130 OR d.mean_diastolic >= 80 THEN 'stage 1'
    WHEN d.mean_systolic >= 120 THEN 'elevated'
    ELSE 'normal'
  END AS band_of_mean
FROM day d
