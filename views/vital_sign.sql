-- Finishes silver.vital_sign: one canonical code and unit per value. `panel` is the code of the
-- blood-pressure reading that a value is a part of; such a record is at home in silver.observation.
-- A performer that is no Practitioner and a device that is no Device keep the reference as it was sent,
-- whose type an id would not tell.
-- measured: value, value_sent, value_text
-- clustered: patient_id, effective_time
-- home: panel IS NULL
-- bare: code IS NULL AND component IS NULL
WITH coded AS (
  SELECT * REPLACE (coalesce(unit_sent(unit_system, unit_code, unit_sent), unit_sent) AS unit_sent),
    vital_code(codings) AS canonical
  FROM rows
),
judged AS (
  SELECT * REPLACE (CASE WHEN _quality = '' AND value_is_text IS NOT TRUE THEN vital_quality(canonical, value_sent, unit_sent, comparator)
    ELSE merge_tokens(
      concat(
        CASE WHEN _quality LIKE '%time_imprecise%' THEN ' time_imprecise' ELSE '' END,
        CASE WHEN _quality LIKE '%clock_ahead%' THEN ' clock_ahead' ELSE '' END,
        CASE WHEN value_is_text AND NOT _retraction THEN ' text_number' ELSE '' END,
        CASE WHEN _quality LIKE '%implausible%' AND canonical IN ('8480-6', '8462-4', '8478-0')
          THEN ' implausible' ELSE '' END),
      vital_quality(canonical, value_sent, unit_sent, comparator)) END AS _quality)
  FROM coded
)
SELECT COLUMNS('^_[a-z].*'),
  resource_type, component, patient_id, canonical AS code, codings,
  coalesce(vital_display(canonical), code_text) AS display,
  vital_value(canonical, value_sent, unit_sent) AS value,
  CASE WHEN value_sent IS NOT NULL THEN vital_unit(canonical, unit_sent) END AS unit,
  value_sent, unit_sent, coalesce(value_text, value_json) AS value_text, comparator, absent_reason,
  interpretation_code AS interpretation, effective_date, effective_time, effective_end,
  fhir_precision(effective_sent) AS effective_precision,
  fhir_offset_minutes(effective_sent) AS effective_offset_minutes,
  coalesce(device, device_reference) AS device,
  CASE WHEN _home = 'silver.observation' THEN '85354-9' END AS panel,
  category_code, coalesce(performer, performer_reference) AS performer, encounter,
  CASE WHEN patient_id IS NULL
    THEN patient_identifier(subject_query, subject_type, subject_identifier_system, subject_identifier_value)
  END AS subject_identifier
FROM judged
