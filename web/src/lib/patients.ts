// Patients by name, city or id.
import {rows} from './api';

export interface FoundPatient {
  id: string;
  given_name: string | null;
  family_name: string | null;
  gender: string | null;
  birth_date: string | null;
  city: string | null;
}

// Every word must be found somewhere; $1 is the pattern of the first, and so on.
export function nameCondition(words: string[], first = 1): string {
  const each = words.map(
    (_, i) => `concat_ws(' ', given_name, family_name, city, state, id) ILIKE $${first + i} ESCAPE '\\'`,
  );
  return each.length ? each.join(' AND ') : 'true';
}

export function patterns(text: string): string[] {
  return text
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => `%${word.replace(/[\\%_]/g, '\\$&')}%`);
}

export function findPatients(text: string, limit: number, signal?: AbortSignal): Promise<FoundPatient[]> {
  const words = patterns(text);
  if (!words.length) return Promise.resolve([]);
  return rows<FoundPatient>(
    `SELECT id, given_name, family_name, gender, birth_date, city FROM gold.patient_observations
     WHERE ${nameCondition(words)} ORDER BY family_name, given_name, id LIMIT ${limit}`,
    words,
    signal,
  );
}
