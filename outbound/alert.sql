-- One message per step in the life of an alert. Of two relations: `changes`, the feed of ops.alert,
-- and `patients`, the rows of silver.patient it names. A consumer keeps the step of the highest
-- `sequence` per alert_id.
SELECT a.patient_id AS _key, a._commit_version AS _version,
  a.alert_id, a.sequence, a.change, a.patient_id, a.id_space, a.vital, a.rule, a.rule_version,
  a.severity, a.state, a.queue, a.notify,
  iso(a.opened_at) AS opened_at, iso(a.updated_at) AS updated_at, iso(a.closed_at) AS closed_at,
  a.acknowledged_by, iso(a.acknowledged_at) AS acknowledged_at,
  iso(a.snoozed_until) AS snoozed_until, a.reading_ids, a.value, a.diastolic, a.baseline,
  a.baseline_sigma, a.baseline_readings, a."window", a.late_by, a.explanation,
  a.source, a.source_partition, a.source_offset,
  p.id IS NOT NULL AS patient_known, p.family_name, p.given_name
FROM changes a
LEFT JOIN patients p ON p.id = a.patient_id AND p.id_space = coalesce(a.id_space, '')
