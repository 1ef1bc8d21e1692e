// Categories of gold.patient_observations ("AHA/ACC 2025 office: stage 2") as they are shown.
export interface Category {
  label: string;
  tone: string; // m-TONE
  pill: 'ok' | 'warn' | 'high' | 'crit' | 'mute';
  rank: number; // from the least grave
}

const kKnown: Record<string, Omit<Category, 'label'>> = {
  normal: {tone: 'ok', pill: 'ok', rank: 0},
  'home: below threshold': {tone: 'ok2', pill: 'ok', rank: 1},
  elevated: {tone: 'warn', pill: 'warn', rank: 2},
  'stage 1': {tone: 'high', pill: 'high', rank: 3},
  'home: hypertension': {tone: 'crit2', pill: 'high', rank: 4},
  'stage 2': {tone: 'crit', pill: 'crit', rank: 5},
  severe: {tone: 'worst', pill: 'crit', rank: 6},
};
const kNotAssessed = 'not assessed';

export const kCategoryLabels = [...Object.keys(kKnown), kNotAssessed];

// Home readings have two categories, office readings (unnamed here) five.
export function categoryLabel(category: string | null): string {
  if (!category || category.startsWith(kNotAssessed)) return kNotAssessed;
  const [setting = '', name = ''] = category.split(': ', 2);
  return setting.endsWith('home') ? `home: ${name}` : name;
}

export function categoryOf(category: string | null): Category {
  const label = categoryLabel(category);
  return {label, ...(kKnown[label] ?? {tone: 'mute', pill: 'mute', rank: kCategoryLabels.length})};
}

// The condition of SQL that finds a label's patients.
export function categoryCondition(label: string): string {
  if (label === kNotAssessed) return "category LIKE 'not assessed%'";
  if (!kCategoryLabels.includes(label)) return 'true';
  return `category LIKE '%${label.startsWith('home') ? label : `office: ${label}`}'`;
}
