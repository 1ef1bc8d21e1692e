-- Alerts of a person per day (UTC) they were opened on, vital sign, rule and severity, each as its
-- last step says.
-- key: id_space, patient_id, day, vital, rule, severity
-- person: patient_id
-- source: silver.patient(id), ops.alert(patient_id)
-- clustered: day, patient_id
WITH step AS (
  SELECT coalesce(a.id_space, '') AS id_space, coalesce(l.person_id, a.patient_id) AS person,
    a.alert_id, a.vital, a.rule, a.severity, a.state, a.opened_at, a.closed_at, a.acknowledged_at,
    a.late_by, a.notify,
    row_number() OVER (
      PARTITION BY coalesce(a.id_space, ''), coalesce(l.person_id, a.patient_id), a.alert_id
      ORDER BY a.updated_at DESC, a.sequence DESC, a.source_partition DESC) AS place
  FROM ops.alert a
  LEFT JOIN person_link l ON l.id_space = coalesce(a.id_space, '') AND l.patient_id = a.patient_id
  -- Those raised before anybody held the identifier that a reading named are nobody's.
  WHERE a.patient_id <> '' AND NOT starts_with(a.patient_id, '?')
),
told AS (
  SELECT id_space, person, alert_id, count(*) AS notifications
  FROM step
  WHERE notify
  GROUP BY id_space, person, alert_id
),
alert AS (
  SELECT s.id_space, s.person, CAST(s.opened_at AT TIME ZONE 'UTC' AS DATE) AS day, s.vital,
    s.rule, s.severity, s.state, s.acknowledged_at, s.late_by,
    coalesce(t.notifications, 0) AS notifications,
    epoch_us(s.closed_at) - epoch_us(s.opened_at) AS lasted
  FROM step s
  LEFT JOIN told t ON t.id_space = s.id_space AND t.person = s.person AND t.alert_id = s.alert_id
  WHERE s.place = 1
)
SELECT id_space, person AS patient_id, day, vital, rule, severity,
  count(*) AS alerts,
  count(CASE WHEN state NOT IN ('closed', 'withdrawn') THEN 1 END) AS still_on,
  count(CASE WHEN state = 'withdrawn' THEN 1 END) AS withdrawn,
  count(CASE WHEN late_by IS NOT NULL THEN 1 END) AS late,
  count(acknowledged_at) AS acknowledged,
  CAST(sum(notifications) AS BIGINT) AS notifications,
  max(CASE WHEN state = 'closed' THEN lasted END) // 1000000 AS longest_s
FROM alert
GROUP BY id_space, person, day, vital, rule, severity
