-- One message per changed value of any other vital sign: as observation.sql, of silver.vital_sign.
SELECT c.patient_id AS _key, c._commit_version AS _version,
  c.id, c.id_space, c.resource_type, c.component, c.patient_id, c.version_id AS version,
  CASE
    WHEN c._change_type = 'delete' OR c.retracted_at IS NOT NULL THEN 'retract'
    WHEN c._change_type = 'insert' THEN 'insert' ELSE 'update' END AS change, c.status, c.code, c.display,
  iso(c.effective_time) AS effective_time, CAST(c.effective_date AS VARCHAR) AS effective_date,
  iso(c.received_at) AS received_at,
  c.value, c.unit, c.value_sent, c.unit_sent, c.value_text, c.comparator, c.interpretation,
  c.quality, c.device,
  p.id IS NOT NULL AS patient_known, p.family_name, p.given_name,
  iso(c.retracted_at) AS retracted_at, iso(c.ingestion_date) AS ingestion_date,
  iso(c.update_date) AS update_date
FROM changes c
LEFT JOIN patients p ON p.id = c.patient_id AND p.id_space = coalesce(c.id_space, '')
