// What the dashboard knows of alerts beside what they say themselves.
import type {Alert, Severity} from './types';

export const kSeverities: Severity[] = ['critical', 'high', 'medium', 'low', 'info'];

const kRules: Record<string, string> = {
  'severe-high': 'Severely high',
  'severe-low': 'Severely low',
  high: 'High in two readings',
  low: 'Low in two readings',
  spike: 'Spike against own baseline',
  shift: 'Shift of level',
  drift: 'Slow drift',
  silence: 'No reading',
  news2: 'NEWS2',
  'too-many': 'Many alerts of one device',
  'check-reading': 'Reading to be repeated',
  operations: 'For operations',
};

const kVitals: Record<string, {name: string; unit: string}> = {
  '85354-9': {name: 'Blood pressure', unit: 'mmHg'},
  '8480-6': {name: 'Systolic pressure', unit: 'mmHg'},
  '8462-4': {name: 'Diastolic pressure', unit: 'mmHg'},
  '8478-0': {name: 'Mean pressure', unit: 'mmHg'},
  '8867-4': {name: 'Heart rate', unit: '/min'},
  '9279-1': {name: 'Respiratory rate', unit: '/min'},
  '2708-6': {name: 'Oxygen saturation', unit: '%'},
  '59408-5': {name: 'Oxygen saturation', unit: '%'},
  '8310-5': {name: 'Temperature', unit: '°C'},
  '2339-0': {name: 'Glucose', unit: 'mg/dL'},
  '15074-8': {name: 'Glucose', unit: 'mmol/L'},
};

export function vitalName(code: string): string {
  return kVitals[code]?.name ?? code;
}

export function vitalUnit(code: string): string {
  return kVitals[code]?.unit ?? '';
}

export function ruleName(rule: string): string {
  const known = kRules[rule];
  if (known) return known;
  const words = rule.replace(/-/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function isOn(alert: Alert): boolean {
  return alert.state === 'pending' || alert.state === 'open' || alert.state === 'unconfirmed';
}

// "212 / 101 mmHg"
export function valueText(alert: Alert, unit = false): string {
  if (alert.value === null) return '–';
  const value = round(alert.value) + (alert.diastolic === null ? '' : ` / ${round(alert.diastolic)}`);
  return unit ? `${value} ${vitalUnit(alert.vital)}`.trim() : value;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

// Of two objects of one alert the later counts.
function isNewer(a: Alert, b: Alert): boolean {
  if (a.source_partition === b.source_partition) return a.sequence >= b.sequence;
  return a.updated_at >= b.updated_at;
}

// The alerts that are on, newest first, once this one is known, too.
export function withAlert(alerts: Alert[], next: Alert): Alert[] {
  const known = alerts.find((a) => a.alert_id === next.alert_id);
  if (known && !isNewer(next, known)) return alerts;
  const others = alerts.filter((a) => a.alert_id !== next.alert_id);
  return isOn(next) ? [next, ...others].sort(newestFirst) : others;
}

export function newestFirst(a: Alert, b: Alert): number {
  return a.opened_at < b.opened_at ? 1 : a.opened_at > b.opened_at ? -1 : 0;
}

export function gravestFirst(a: Alert, b: Alert): number {
  return kSeverities.indexOf(a.severity) - kSeverities.indexOf(b.severity) || newestFirst(a, b);
}
