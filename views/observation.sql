-- Finishes silver.observation: values in mm[Hg], the computed code, precision and offset of times.
-- A performer that is no Practitioner and a device that is no Device keep the reference as it was sent,
-- whose type an id would not tell.
-- measured: systolic_pressure_value, diastolic_pressure_value, mean_pressure, computed_interpretation_code
-- clustered: patient_id, effective_time
WITH measured AS (
  SELECT *,
    bp_value('8480-6', systolic_value_sent,
      unit_sent(systolic_unit_system, systolic_unit_code, systolic_unit_sent)) AS systolic,
    bp_value('8462-4', diastolic_value_sent,
      unit_sent(diastolic_unit_system, diastolic_unit_code, diastolic_unit_sent)) AS diastolic,
    bp_value('8478-0', mean_value_sent,
      unit_sent(mean_unit_system, mean_unit_code, mean_unit_sent)) AS mean
  FROM rows
)
SELECT COLUMNS('^_[a-z].*'),
  resource_type, category_code, code, patient_id, effective_date, effective_time, effective_end,
  fhir_precision(effective_sent) AS effective_precision,
  fhir_offset_minutes(effective_sent) AS effective_offset_minutes,
  coalesce(practitioner, practitioner_reference) AS practitioner, coalesce(device, device_reference) AS device,
  -- By HL7's value set for blood-pressure devices (bpMeasDeviceVS): what inflates a cuff on the arm.
  CASE WHEN device_type_code IN ('309641003', '309642005', '466093008', '466086009') THEN 'cuff'
    WHEN device_type_code IS NOT NULL OR coalesce(device, device_reference) IS NOT NULL THEN 'unknown'
  END AS device_type, method_code AS method, body_site_code AS body_site,
  CASE setting_code WHEN '264362003' THEN 'home' WHEN '257585005' THEN 'office' WHEN '285201006' THEN 'office'
  END AS setting, encounter,
  systolic AS systolic_pressure_value,
  CASE WHEN systolic IS NOT NULL THEN 'mm[Hg]' END AS systolic_pressure_unit,
  -- What is said of the Observation as a whole stands for components of which nothing is said.
  systolic_interpretation,
  coalesce(systolic_interpretation_code, CASE WHEN systolic IS NOT NULL THEN interpretation_code END)
    AS systolic_interpretation_code,
  systolic_comparator, systolic_absent_reason,
  diastolic AS diastolic_pressure_value,
  CASE WHEN diastolic IS NOT NULL THEN 'mm[Hg]' END AS diastolic_pressure_unit,
  diastolic_interpretation,
  coalesce(diastolic_interpretation_code, CASE WHEN diastolic IS NOT NULL THEN interpretation_code END)
    AS diastolic_interpretation_code,
  diastolic_comparator, diastolic_absent_reason,
  mean AS mean_pressure,
  CASE WHEN _quality NOT LIKE '%implausible%' THEN
    bp_certain_interpretation(systolic, systolic_comparator, diastolic, diastolic_comparator) END
    AS computed_interpretation_code,
  bp_rule_set() AS rule_set, bp_rule_version() AS rule_version,
  CASE WHEN patient_id IS NULL
    THEN patient_identifier(subject_query, subject_type, subject_identifier_system, subject_identifier_value)
  END AS subject_identifier
FROM measured
