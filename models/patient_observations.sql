-- One row per person: demographics and what the blood-pressure readings say.
-- key: id_space, id
-- person: id
-- source: silver.patient(id), silver.observation(patient_id), silver.vital_sign(patient_id)
-- clustered: id
WITH patient AS (
  SELECT p.*, coalesce(l.person_id, p.id) AS person,
    row_number() OVER (
      PARTITION BY p.id_space, coalesce(l.person_id, p.id)
      ORDER BY CASE WHEN p.id = coalesce(l.person_id, p.id) THEN 0 ELSE 1 END, p.id) AS place
  FROM silver.patient p
  LEFT JOIN person_link l ON l.id_space = p.id_space AND l.patient_id = p.id
  WHERE p.retracted_at IS NULL
),
-- Single systolic and diastolic Observations count as one reading when subject, time and device agree.
single AS (
  SELECT id_space, patient_id, effective_time, effective_date, device, status, quality, source,
    CAST(NULL AS VARCHAR) AS setting, CAST(NULL AS VARCHAR) AS device_type,
    max(CASE WHEN code = '8480-6' THEN value END) AS systolic,
    max(CASE WHEN code = '8462-4' THEN value END) AS diastolic
  FROM silver.vital_sign
  WHERE panel IS NULL AND component IS NULL AND code IN ('8480-6', '8462-4') AND retracted_at IS NULL
  GROUP BY id_space, patient_id, effective_time, effective_date, device, status, quality, source
),
every_reading AS (
  SELECT id_space, patient_id, effective_time, effective_date, device, status, quality, source,
    setting, device_type, systolic_pressure_value AS systolic, diastolic_pressure_value AS diastolic
  FROM silver.observation
  WHERE retracted_at IS NULL
  UNION ALL
  SELECT id_space, patient_id, effective_time, effective_date, device, status, quality, source,
    setting, device_type, systolic, diastolic
  FROM single
),
judged AS (
  SELECT r.id_space, coalesce(l.person_id, r.patient_id) AS person,
    coalesce(r.effective_time, CAST(r.effective_date AS TIMESTAMP)) AS taken,
    r.effective_date, r.systolic, r.diastolic, r.device, r.device_type, r.setting,
    CASE WHEN r.status IN ('preliminary', 'final', 'amended', 'corrected')
          AND concat(' ', coalesce(r.quality, ''), ' ') NOT LIKE '% implausible %'
          AND concat(' ', coalesce(r.quality, ''), ' ') NOT LIKE '% repeat_of %'
          AND (r.systolic IS NOT NULL OR r.diastolic IS NOT NULL)
         THEN 1 ELSE 0 END AS counts
  FROM every_reading r
  LEFT JOIN person_link l ON l.id_space = r.id_space AND l.patient_id = r.patient_id
  WHERE r.patient_id IS NOT NULL
),
ordered AS (
  SELECT j.*,
    max(CASE WHEN counts = 1 THEN taken END) OVER (PARTITION BY id_space, person) AS last_taken,
    row_number() OVER (
      PARTITION BY id_space, person
      ORDER BY counts DESC, taken DESC, systolic DESC, diastolic DESC) AS recency
  FROM judged j
),
summary AS (
  SELECT id_space, person,
    sum(counts) AS readings,
    sum(1 - counts) AS readings_excluded,
    max(last_taken) AS last_effective_time,
    sum(CASE WHEN counts = 1 THEN CAST(systolic AS DECIMAL(18, 6)) END) AS sum_systolic,
    sum(CASE WHEN counts = 1 THEN CAST(diastolic AS DECIMAL(18, 6)) END) AS sum_diastolic,
    count(CASE WHEN counts = 1 THEN systolic END) AS count_systolic,
    count(CASE WHEN counts = 1 THEN diastolic END) AS count_diastolic,
    sum(CASE WHEN counts = 1 AND taken > last_taken - INTERVAL 7 DAYS THEN CAST(systolic AS DECIMAL(18, 6)) END) AS sum_7d_systolic,
    sum(CASE WHEN counts = 1 AND taken > last_taken - INTERVAL 7 DAYS THEN CAST(diastolic AS DECIMAL(18, 6)) END) AS sum_7d_diastolic,
    count(CASE WHEN counts = 1 AND taken > last_taken - INTERVAL 7 DAYS THEN systolic END) AS count_7d_systolic,
    count(CASE WHEN counts = 1 AND taken > last_taken - INTERVAL 7 DAYS THEN diastolic END) AS count_7d_diastolic,
    sum(CASE WHEN counts = 1 AND taken > last_taken - INTERVAL 28 DAYS THEN CAST(systolic AS DECIMAL(18, 6)) END) AS sum_28d_systolic,
    sum(CASE WHEN counts = 1 AND taken > last_taken - INTERVAL 28 DAYS THEN CAST(diastolic AS DECIMAL(18, 6)) END) AS sum_28d_diastolic,
    count(CASE WHEN counts = 1 AND taken > last_taken - INTERVAL 28 DAYS THEN systolic END) AS count_28d_systolic,
    count(CASE WHEN counts = 1 AND taken > last_taken - INTERVAL 28 DAYS THEN diastolic END) AS count_28d_diastolic,
    count(CASE WHEN counts = 1 AND taken > last_taken - INTERVAL 28 DAYS THEN 1 END) AS readings_28d,
    count(DISTINCT CASE WHEN counts = 1 AND taken > last_taken - INTERVAL 28 DAYS THEN effective_date END) AS dates_28d,
    min(CASE WHEN counts = 1 THEN systolic END) AS min_systolic_pressure,
    max(CASE WHEN counts = 1 THEN systolic END) AS max_systolic_pressure,
    min(CASE WHEN counts = 1 THEN diastolic END) AS min_diastolic_pressure,
    max(CASE WHEN counts = 1 THEN diastolic END) AS max_diastolic_pressure,
    max(CASE WHEN counts = 1 AND recency = 1 THEN systolic END) AS last_systolic_pressure,
    max(CASE WHEN counts = 1 AND recency = 1 THEN diastolic END) AS last_diastolic_pressure,
    max(CASE WHEN counts = 1 AND recency = 1 THEN effective_date END) AS last_date,
    max(CASE WHEN counts = 1 AND recency = 1 THEN coalesce(setting, 'office') END) AS setting,
    max(CASE WHEN counts = 1 AND taken > last_taken - INTERVAL 28 DAYS
              AND (device IS NOT NULL OR device_type IS NOT NULL)
              AND coalesce(device_type, 'unknown') IN ('unknown', 'cuffless')
             THEN 1 ELSE 0 END) AS uncertain_device
  FROM ordered
  GROUP BY id_space, person
),
means AS (
  SELECT s.*,
    CAST(sum_systolic AS DOUBLE) / nullif(count_systolic, 0) AS avg_systolic_pressure,
    CAST(sum_diastolic AS DOUBLE) / nullif(count_diastolic, 0) AS avg_diastolic_pressure,
    CAST(sum_7d_systolic AS DOUBLE) / nullif(count_7d_systolic, 0) AS avg_7d_systolic_pressure,
    CAST(sum_7d_diastolic AS DOUBLE) / nullif(count_7d_diastolic, 0) AS avg_7d_diastolic_pressure,
    CAST(sum_28d_systolic AS DOUBLE) / nullif(count_28d_systolic, 0) AS avg_28d_systolic_pressure,
    CAST(sum_28d_diastolic AS DOUBLE) / nullif(count_28d_diastolic, 0) AS avg_28d_diastolic_pressure
  FROM summary s
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
  m.last_effective_time, m.last_systolic_pressure, m.last_diastolic_pressure,
  CASE
    WHEN coalesce(m.readings, 0) = 0 THEN 'not assessed: no readings'
    WHEN p.birth_date IS NULL THEN 'not assessed: no birth date'
    WHEN p.birth_date + INTERVAL 13 YEARS > m.last_date THEN 'not assessed: under 13 years'
    WHEN m.uncertain_device = 1 THEN 'not assessed: device type cuffless or unknown'
    WHEN m.readings_28d < 2 THEN 'not assessed: fewer than 2 readings in 28 days'
    WHEN m.dates_28d < 2 THEN 'not assessed: readings of one date only'
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
