-- Patients per age band today, gender and category.
-- view
SELECT
  CASE
    WHEN birth_date IS NULL THEN 'unknown'
    WHEN birth_date + INTERVAL 13 YEARS > current_date THEN '0-12'
    WHEN birth_date + INTERVAL 18 YEARS > current_date THEN '13-17'
    WHEN birth_date + INTERVAL 40 YEARS > current_date THEN '18-39'
    WHEN birth_date + INTERVAL 65 YEARS > current_date THEN '40-64'
    WHEN birth_date + INTERVAL 80 YEARS > current_date THEN '65-79'
    ELSE '80+'
  END AS age_band,
  coalesce(gender, 'unknown') AS gender, category, count(*) AS patients
FROM gold.patient_observations
GROUP BY 1, 2, 3
