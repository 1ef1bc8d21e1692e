-- One message per changed blood-pressure reading. Of two relations: `changes`, the feed of
-- silver.observation without pre-images, and `patients`, the rows of silver.patient it names.
-- _key is the key of the message, _version the version that changed the row; the other columns are
-- the fields, in this order.
SELECT c.patient_id AS _key, c._commit_version AS _version,
  c.id, c.id_space, c.resource_type, c.patient_id, c.version_id AS version, CASE
    WHEN c._change_type = 'delete' OR c.retracted_at IS NOT NULL THEN 'retract'
    WHEN c._change_type = 'insert' THEN 'insert' ELSE 'update' END AS change,
  c.status, c.category_code, c.code,
  iso(c.effective_time) AS effective_time, CAST(c.effective_date AS VARCHAR) AS effective_date,
  iso(c.received_at) AS received_at,
  c.systolic_pressure_value, c.systolic_pressure_unit, c.systolic_interpretation,
  c.systolic_interpretation_code, c.systolic_comparator,
  c.diastolic_pressure_value, c.diastolic_pressure_unit, c.diastolic_interpretation,
  c.diastolic_interpretation_code, c.diastolic_comparator,
  c.mean_pressure, c.computed_interpretation_code, c.rule_set, c.rule_version,
  c.quality, c.practitioner, c.device, c.device_type, c.setting,
  p.id IS NOT NULL AS patient_known, p.family_name, p.given_name,
  iso(c.retracted_at) AS retracted_at, iso(c.ingestion_date) AS ingestion_date,
  iso(c.update_date) AS update_date
FROM changes c
LEFT JOIN patients p ON p.id = c.patient_id AND p.id_space = coalesce(c.id_space, '')
