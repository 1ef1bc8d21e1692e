-- One row per person: demographics and what the blood-pressure readings say.
-- key: id_space, id
-- person: id
-- source: silver.patient(id), silver.observation(patient_id), silver.vital_sign(patient_id)
-- clustered: id
WITH patient AS (
  SELECT p.id_space, p.family_name, p.given_name, p.work_phone, p.mobile_phone, p.gender,
    p.birth_date, p.active, p.city, p.district, p.line, p.postal_code, p.state,
    p.ingestion_date, p.update_date, coalesce(l.person_id, p.id) AS person,
    row_number() OVER (
      PARTITION BY p.id_space, coalesce(l.person_id, p.id)
      ORDER BY CASE WHEN p.id = coalesce(l.person_id, p.id) THEN 0 ELSE 1 END, p.id) AS place
  FROM silver.patient p
  LEFT JOIN person_link l ON l.id_space = p.id_space AND l.patient_id = p.id
  WHERE p.retracted_at IS NULL
),
-- Single systolic and diastolic Observations of one subject, time and device count as one reading; of
-- several at one moment the first with the first.
half AS (
  SELECT id_space, patient_id, effective_time, effective_date, device, code, value,
    CASE WHEN source_partition NOT LIKE 'bronze/%/____/__/__/%' THEN 'home' ELSE 'office' END AS setting,
    CASE WHEN status IN ('preliminary', 'final', 'amended', 'corrected')
          AND (coalesce(quality, '') = ''
            OR (concat(' ', quality, ' ') NOT LIKE '% implausible %'
              AND concat(' ', quality, ' ') NOT LIKE '% repeat_of %'))
          AND value IS NOT NULL
         THEN 1 ELSE 0 END AS usable,
    CASE WHEN effective_time IS NULL THEN id END AS alone, id
  FROM silver.vital_sign
  WHERE panel IS NULL AND component IS NULL AND code IN ('8480-6', '8462-4') AND retracted_at IS NULL
),
numbered AS (
  SELECT id_space, patient_id, effective_time, effective_date, device, setting, code, value,
    usable, alone,
    row_number() OVER (
      PARTITION BY id_space, patient_id, effective_time, device, code, usable, alone
      ORDER BY id) AS place
  FROM half
),
single AS (
  SELECT id_space, patient_id, effective_time, min(effective_date) AS effective_date, device, usable,
    max(setting) AS setting,
    max(CASE WHEN code = '8480-6' THEN value END) AS systolic,
    max(CASE WHEN code = '8462-4' THEN value END) AS diastolic
  FROM numbered
  GROUP BY id_space, patient_id, effective_time, device, usable, alone, place
),
every_reading AS (
  SELECT id_space, patient_id, effective_time, effective_date, device,
    -- Where the sender does not say: what comes by a stream was measured at home; a file has the
    -- readings of an office.
    coalesce(setting,
      CASE WHEN source_partition NOT LIKE 'bronze/%/____/__/__/%' THEN 'home' ELSE 'office' END)
      AS setting, device_type,
    systolic_pressure_value AS systolic, diastolic_pressure_value AS diastolic,
    CASE WHEN status IN ('preliminary', 'final', 'amended', 'corrected')
          AND (coalesce(quality, '') = ''
            OR (concat(' ', quality, ' ') NOT LIKE '% implausible %'
              AND concat(' ', quality, ' ') NOT LIKE '% repeat_of %'))
          AND (systolic_pressure_value IS NOT NULL OR diastolic_pressure_value IS NOT NULL)
         THEN 1 ELSE 0 END AS counts
  FROM silver.observation
  WHERE retracted_at IS NULL
  UNION ALL
  SELECT id_space, patient_id, effective_time, effective_date, device, setting,
    CAST(NULL AS VARCHAR), systolic, diastolic,
    -- Swapped or too close together: as of a panel, implausible.
    CASE WHEN usable = 1 AND coalesce(systolic - diastolic, 10) >= 10 THEN 1 ELSE 0 END
  FROM single
),
reading AS (
  SELECT r.id_space, coalesce(l.person_id, r.patient_id) AS person,
    coalesce(r.effective_time, CAST(r.effective_date AS TIMESTAMP)) AS taken,
    r.effective_date, r.systolic, r.diastolic, r.device, r.device_type, r.setting, r.counts
  FROM every_reading r
  LEFT JOIN person_link l ON l.id_space = r.id_space AND l.patient_id = r.patient_id
  WHERE r.patient_id IS NOT NULL
),
total AS (
  SELECT id_space, person, sum(counts) AS readings, sum(1 - counts) AS readings_excluded,
    max(CASE WHEN counts = 1 THEN taken END) AS last_taken
  FROM reading
  GROUP BY id_space, person
),
-- The two spans end with the person's last reading; they are computed once a person.
span AS (
  SELECT id_space, person, readings, readings_excluded, last_taken,
    last_taken - INTERVAL 7 DAYS AS after_7d, last_taken - INTERVAL 28 DAYS AS after_28d
  FROM total
),
last_reading AS (
  SELECT r.id_space, r.person, r.systolic, r.diastolic, r.effective_date, r.setting,
    row_number() OVER (
      PARTITION BY r.id_space, r.person
      ORDER BY r.systolic DESC, r.diastolic DESC, r.effective_date DESC, r.setting DESC) AS place
  FROM reading r
  JOIN span s ON s.id_space = r.id_space AND s.person = r.person
    AND s.last_taken IS NOT DISTINCT FROM r.taken
  WHERE r.counts = 1
),
-- What no sum can hold is no pressure: NULL, and in no mean.
counted AS (
  SELECT r.id_space, r.person, r.effective_date, r.systolic, r.diastolic,
    TRY_CAST(r.systolic AS DECIMAL(18, 6)) AS exact_systolic,
    TRY_CAST(r.diastolic AS DECIMAL(18, 6)) AS exact_diastolic,
    r.taken > s.after_7d AS in_7d, r.taken > s.after_28d AS in_28d,
    (r.device IS NOT NULL OR r.device_type IS NOT NULL)
      AND coalesce(r.device_type, 'unknown') IN ('unknown', 'cuffless') AS uncertain_device
  FROM reading r
  JOIN span s ON s.id_space = r.id_space AND s.person = r.person
  WHERE r.counts = 1
),
summary AS (
  SELECT id_space, person,
    sum(exact_systolic) AS sum_systolic, count(exact_systolic) AS count_systolic,
    sum(exact_diastolic) AS sum_diastolic, count(exact_diastolic) AS count_diastolic,
    sum(CASE WHEN in_7d THEN exact_systolic END) AS sum_7d_systolic,
    count(CASE WHEN in_7d THEN exact_systolic END) AS count_7d_systolic,
    sum(CASE WHEN in_7d THEN exact_diastolic END) AS sum_7d_diastolic,
    count(CASE WHEN in_7d THEN exact_diastolic END) AS count_7d_diastolic,
    sum(CASE WHEN in_28d THEN exact_systolic END) AS sum_28d_systolic,
    count(CASE WHEN in_28d THEN exact_systolic END) AS count_28d_systolic,
    sum(CASE WHEN in_28d THEN exact_diastolic END) AS sum_28d_diastolic,
    count(CASE WHEN in_28d THEN exact_diastolic END) AS count_28d_diastolic,
    count(CASE WHEN in_28d THEN 1 END) AS readings_28d,
    min(CASE WHEN in_28d THEN effective_date END) AS first_date_28d,
    max(CASE WHEN in_28d THEN effective_date END) AS last_date_28d,
    min(systolic) AS min_systolic_pressure, max(systolic) AS max_systolic_pressure,
    min(diastolic) AS min_diastolic_pressure, max(diastolic) AS max_diastolic_pressure,
    max(CASE WHEN in_28d AND uncertain_device THEN 1 ELSE 0 END) AS uncertain_device
  FROM counted
  GROUP BY id_space, person
),
means AS (
  SELECT t.id_space, t.person, t.readings, t.readings_excluded, t.last_taken,
    m.min_systolic_pressure, m.max_systolic_pressure,
    m.min_diastolic_pressure, m.max_diastolic_pressure,
    m.readings_28d, m.first_date_28d, m.last_date_28d, m.uncertain_device,
    l.systolic AS last_systolic_pressure, l.diastolic AS last_diastolic_pressure,
    l.effective_date AS last_date, l.setting,
    CAST(sum_systolic AS DOUBLE) / nullif(count_systolic, 0) AS avg_systolic_pressure,
    CAST(sum_diastolic AS DOUBLE) / nullif(count_diastolic, 0) AS avg_diastolic_pressure,
    CAST(sum_7d_systolic AS DOUBLE) / nullif(count_7d_systolic, 0) AS avg_7d_systolic_pressure,
    CAST(sum_7d_diastolic AS DOUBLE) / nullif(count_7d_diastolic, 0) AS avg_7d_diastolic_pressure,
    CAST(sum_28d_systolic AS DOUBLE) / nullif(count_28d_systolic, 0) AS avg_28d_systolic_pressure,
    CAST(sum_28d_diastolic AS DOUBLE) / nullif(count_28d_diastolic, 0) AS avg_28d_diastolic_pressure
  FROM total t
  LEFT JOIN summary m ON m.id_space = t.id_space AND m.person = t.person
  LEFT JOIN last_reading l ON l.id_space = t.id_space AND l.person = t.person AND l.place = 1
)
SELECT p.id_space, p.person AS id, p.family_name, p.given_name, p.work_phone, p.mobile_phone,
  p.gender, p.birth_date, p.active, p.city, p.district, p.line, p.postal_code, p.state,
  m.avg_systolic_pressure, m.avg_diastolic_pressure,
  m.avg_7d_systolic_pressure, m.avg_7d_diastolic_pressure,
  m.avg_28d_systolic_pressure, m.avg_28d_diastolic_pressure,
  m.min_systolic_pressure, m.max_systolic_pressure,
  m.min_diastolic_pressure, m.max_diastolic_pressure,
  CAST(coalesce(m.readings, 0) AS BIGINT) AS readings,
  CAST(coalesce(m.readings_excluded, 0) AS BIGINT) AS readings_excluded,
  m.last_taken AS last_effective_time, m.last_systolic_pressure, m.last_diastolic_pressure,
  CASE
    WHEN coalesce(m.readings, 0) = 0 THEN 'not assessed: no readings'
    WHEN p.birth_date IS NULL THEN 'not assessed: no birth date'
    WHEN p.birth_date + INTERVAL 13 YEARS > m.last_date THEN 'not assessed: under 13 years'
    WHEN m.uncertain_device = 1 THEN 'not assessed: device type cuffless or unknown'
    WHEN m.readings_28d < 2 THEN 'not assessed: fewer than 2 readings in 28 days'
    WHEN m.first_date_28d = m.last_date_28d THEN 'not assessed: readings of one date only'
    WHEN m.avg_28d_systolic_pressure IS NULL OR m.avg_28d_diastolic_pressure IS NULL
      THEN 'not assessed: a component is missing'
    WHEN m.setting = 'home' AND (m.avg_28d_systolic_pressure >= 130 OR m.avg_28d_diastolic_pressure >= 80)
      THEN 'AHA/ACC 2025 home: hypertension'
    WHEN m.setting = 'home' THEN 'AHA/ACC 2025 home: below threshold'
    WHEN m.avg_28d_systolic_pressure > 180 OR m.avg_28d_diastolic_pressure > 120
      THEN 'AHA/ACC 2025 office: severe'
    WHEN m.avg_28d_systolic_pressure >= 140 OR m.avg_28d_diastolic_pressure >= 90
      THEN 'AHA/ACC 2025 office: stage 2'
    WHEN m.avg_28d_systolic_pressure >= 130 OR m.avg_28d_diastolic_pressure >= 80
      THEN 'AHA/ACC 2025 office: stage 1'
    WHEN m.avg_28d_systolic_pressure >= 120 THEN 'AHA/ACC 2025 office: elevated'
    ELSE 'AHA/ACC 2025 office: normal'
  END AS category,
  p.ingestion_date, p.update_date
FROM patient p
LEFT JOIN means m ON m.id_space = p.id_space AND m.person = p.person
WHERE p.place = 1
