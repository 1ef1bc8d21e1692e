-- NEWS2 of a person at every moment one of its inputs was taken, from the newest of each input that
-- is at most 12 hours old. An absent input is not scored: the total is then "at least". Ages are
-- seconds before `time`. What a cuff alone gives (systolic, pulse) is no score; neither is anything
-- of a person under 16, of unknown age or in pregnancy.
-- The chart: clinical/news2.h, as are the news2_* functions. Scale 2 only by a patient's settings.
-- key: id_space, patient_id, time
-- person: patient_id
-- source: silver.patient(id), silver.vital_sign(patient_id), ops.action(target)
-- clustered: time, patient_id
WITH patient AS (
  SELECT p.id_space, p.birth_date, coalesce(l.person_id, p.id) AS person,
    row_number() OVER (
      PARTITION BY p.id_space, coalesce(l.person_id, p.id)
      ORDER BY CASE WHEN p.id = coalesce(l.person_id, p.id) THEN 0 ELSE 1 END, p.id) AS place
  FROM silver.patient p
  LEFT JOIN person_link l ON l.id_space = p.id_space AND l.patient_id = p.id
  WHERE p.retracted_at IS NULL
),
input AS (
  SELECT v.id_space, coalesce(l.person_id, v.patient_id) AS person, v.effective_time,
    v.effective_date, v.code, v.value, v.value_text,
    concat(v.id, '/', coalesce(v.component, '')) AS id
  FROM silver.vital_sign v
  LEFT JOIN person_link l ON l.id_space = v.id_space AND l.patient_id = v.patient_id
  WHERE v.code IN ('9279-1', '2708-6', '3151-8', '3150-6', '8480-6', '8867-4', '67775-7', '8310-5')
    AND v.patient_id IS NOT NULL AND v.effective_time IS NOT NULL AND v.retracted_at IS NULL
    AND (v.value IS NOT NULL OR (v.code = '67775-7' AND v.value_text IS NOT NULL))
    AND v.status IN ('preliminary', 'final', 'amended', 'corrected')
    AND (coalesce(v.quality, '') = ''
      OR (concat(' ', v.quality, ' ') NOT LIKE '% implausible %'
        AND concat(' ', v.quality, ' ') NOT LIKE '% repeat_of %'
        AND concat(' ', v.quality, ' ') NOT LIKE '% off_scale %'
        AND concat(' ', v.quality, ' ') NOT LIKE '% clock_ahead %'))
),
-- Persons of whom more is known than a cuff tells.
watched AS (
  SELECT DISTINCT id_space, person FROM input WHERE code NOT IN ('8480-6', '8867-4')
),
moment AS (
  SELECT i.id_space, i.person, i.effective_time, min(i.effective_date) AS effective_date,
    max_by(i.value, i.id) FILTER (WHERE i.code = '9279-1') AS respiratory_rate,
    max_by(i.value, i.id) FILTER (WHERE i.code = '2708-6') AS oxygen_saturation,
    -- Of a flow and a concentration at one moment, the flow.
    max_by(news2_on_oxygen(i.code, i.value), concat(i.code, '/', i.id))
      FILTER (WHERE i.code IN ('3151-8', '3150-6')) AS on_oxygen,
    max_by(i.value, i.id) FILTER (WHERE i.code = '8480-6') AS systolic,
    max_by(i.value, i.id) FILTER (WHERE i.code = '8867-4') AS pulse,
    max_by(news2_alert(i.value_text), i.id)
      FILTER (WHERE i.code = '67775-7') AS alert,
    max_by(i.value, i.id) FILTER (WHERE i.code = '8310-5') AS temperature
  FROM input i
  SEMI JOIN watched w ON w.id_space = i.id_space AND w.person = i.person
  GROUP BY i.id_space, i.person, i.effective_time
),
timed AS (
  SELECT id_space, person, effective_time, effective_date, epoch_us(effective_time) AS t,
    respiratory_rate, oxygen_saturation, on_oxygen, systolic, pulse, alert, temperature
  FROM moment
),
newest AS (
  SELECT id_space, person, effective_time, effective_date,
    last_value(respiratory_rate IGNORE NULLS) OVER w AS respiratory_rate,
    last_value(oxygen_saturation IGNORE NULLS) OVER w AS oxygen_saturation,
    last_value(on_oxygen IGNORE NULLS) OVER w AS on_oxygen,
    last_value(systolic IGNORE NULLS) OVER w AS systolic,
    last_value(pulse IGNORE NULLS) OVER w AS pulse,
    last_value(alert IGNORE NULLS) OVER w AS alert,
    last_value(temperature IGNORE NULLS) OVER w AS temperature,
    t - last_value(CASE WHEN respiratory_rate IS NOT NULL THEN t END IGNORE NULLS) OVER w
      AS respiratory_rate_age,
    t - last_value(CASE WHEN oxygen_saturation IS NOT NULL THEN t END IGNORE NULLS) OVER w
      AS oxygen_saturation_age,
    t - last_value(CASE WHEN on_oxygen IS NOT NULL THEN t END IGNORE NULLS) OVER w
      AS on_oxygen_age,
    t - last_value(CASE WHEN systolic IS NOT NULL THEN t END IGNORE NULLS) OVER w AS systolic_age,
    t - last_value(CASE WHEN pulse IS NOT NULL THEN t END IGNORE NULLS) OVER w AS pulse_age,
    t - last_value(CASE WHEN alert IS NOT NULL THEN t END IGNORE NULLS) OVER w AS alert_age,
    t - last_value(CASE WHEN temperature IS NOT NULL THEN t END IGNORE NULLS) OVER w
      AS temperature_age
  FROM timed
  WINDOW w AS (PARTITION BY id_space, person ORDER BY t
    RANGE BETWEEN 43200000000 PRECEDING AND CURRENT ROW)
),
-- What people asked for; the answers of the services that watch the patient say the same.
setting AS (
  SELECT coalesce(a.id_space, '') AS id_space, coalesce(l.person_id, a.target) AS person,
    coalesce(fhir_time(a.payload ->> '$.from'), a.time) AS since,
    coalesce(a.expiry, fhir_time(a.payload ->> '$.until')) AS expiry, a.time AS recorded, a.id,
    coalesce(CAST(a.payload ->> '$.oxygen_scale' AS INTEGER), 1) AS scale,
    coalesce(CAST(a.payload ->> '$.pregnant' AS BOOLEAN), false) AS pregnant
  FROM ops.action a
  LEFT JOIN person_link l ON l.id_space = coalesce(a.id_space, '') AND l.patient_id = a.target
  WHERE a.action = 'settings' AND a.request IS NULL AND a.target IS NOT NULL
),
in_force AS (
  SELECT n.id_space, n.person, n.effective_time, s.scale, s.pregnant,
    row_number() OVER (PARTITION BY n.id_space, n.person, n.effective_time
      ORDER BY s.since DESC, s.recorded DESC, s.id DESC) AS place
  FROM newest n
  JOIN setting s ON s.id_space = n.id_space AND s.person = n.person
    AND s.since <= n.effective_time
    AND (s.expiry IS NULL OR n.effective_time < s.expiry)
),
scored AS (
  SELECT n.id_space, n.person, n.effective_time, coalesce(f.scale, 1) AS scale,
    n.respiratory_rate, n.oxygen_saturation, n.on_oxygen, n.systolic, n.pulse, n.alert,
    n.temperature, n.respiratory_rate_age, n.oxygen_saturation_age, n.on_oxygen_age,
    n.systolic_age, n.pulse_age, n.alert_age, n.temperature_age
  FROM newest n
  JOIN patient p ON p.id_space = n.id_space AND p.person = n.person AND p.place = 1
  LEFT JOIN in_force f ON f.id_space = n.id_space AND f.person = n.person
    AND f.effective_time = n.effective_time AND f.place = 1
  WHERE p.birth_date + INTERVAL 16 YEARS <= coalesce(n.effective_date, CAST(n.effective_time AS DATE))
    AND NOT coalesce(f.pregnant, false)
    AND (n.respiratory_rate IS NOT NULL OR n.oxygen_saturation IS NOT NULL
      OR n.on_oxygen IS NOT NULL OR n.alert IS NOT NULL OR n.temperature IS NOT NULL)
)
SELECT id_space, person AS patient_id, effective_time AS time,
  news2_total(respiratory_rate, oxygen_saturation, on_oxygen, systolic, pulse, alert, temperature,
    scale) AS total,
  news2_parameters(respiratory_rate, oxygen_saturation, on_oxygen, systolic, pulse, alert,
    temperature, scale) = 7 AS complete,
  news2_parameters(respiratory_rate, oxygen_saturation, on_oxygen, systolic, pulse, alert,
    temperature, scale) AS parameters,
  news2_response(respiratory_rate, oxygen_saturation, on_oxygen, systolic, pulse, alert,
    temperature, scale) AS response,
  scale, respiratory_rate, oxygen_saturation, on_oxygen, systolic, pulse, alert, temperature,
  respiratory_rate_age // 1000000 AS respiratory_rate_age_s,
  oxygen_saturation_age // 1000000 AS oxygen_saturation_age_s,
  on_oxygen_age // 1000000 AS on_oxygen_age_s,
  systolic_age // 1000000 AS systolic_age_s,
  pulse_age // 1000000 AS pulse_age_s,
  alert_age // 1000000 AS alert_age_s,
  temperature_age // 1000000 AS temperature_age_s
FROM scored
