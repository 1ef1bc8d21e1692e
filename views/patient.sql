-- Finishes silver.patient: phones and e-mail by rank, precision of dates, the person a patient is.
-- person_id is the patient's own replaced_by, else the id: one link, as it was sent. Whom the survivor was merged
-- into in turn, and who says to replace this patient (`replaces`), other rows tell: lake/person_link.h follows them.
-- clustered: id
SELECT COLUMNS('^_[a-z].*'),
  resource_type, active, family_name, given_name, gender,
  birth_date, fhir_precision(birth_date_sent) AS birth_date_precision,
  list_sort(list_transform(from_json(work_phones, '[{"value":"VARCHAR","rank":"BIGINT"}]'),
    lambda x, i: {'rank': coalesce(x.rank, 2147483647), 'place': i, 'value': x.value}))[1].value AS work_phone,
  list_sort(list_transform(from_json(mobile_phones, '[{"value":"VARCHAR","rank":"BIGINT"}]'),
    lambda x, i: {'rank': coalesce(x.rank, 2147483647), 'place': i, 'value': x.value}))[1].value AS mobile_phone,
  list_sort(list_transform(from_json(emails, '[{"value":"VARCHAR","rank":"BIGINT"}]'),
    lambda x, i: {'rank': coalesce(x.rank, 2147483647), 'place': i, 'value': x.value}))[1].value AS email,
  line, city, district, state, postal_code, country, deceased, deceased_time, mrn, mrn_system,
  identifiers, coalesce(managing_organization, managing_organization_reference) AS managing_organization,
  replaced_by, coalesce(replaced_by, _id) AS person_id, coalesce(is_test, false) AS is_test,
  nullif(replaces, '[]') AS replaces
FROM rows
