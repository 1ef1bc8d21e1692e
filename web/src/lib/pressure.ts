// Readings of blood pressure: levels, parts of the day, what is usual for the person.

export type Tone = 'crit' | 'high' | 'warn' | 'ok' | 'mute';

export interface Reading {
  id: string;
  time: number; // ms since 1970
  offsetMinutes: number | null; // of the sender's clock
  systolic: number | null;
  diastolic: number | null;
  level: string | null; // computed interpretation code
  quality: string;
  device: string | null;
  setting: string | null;
}

const kLevels: Record<string, {tone: Tone; name: string}> = {
  LL: {tone: 'crit', name: 'critically low'},
  L: {tone: 'high', name: 'low'},
  N: {tone: 'ok', name: 'normal'},
  A: {tone: 'warn', name: 'abnormal'},
  AA: {tone: 'crit', name: 'critically abnormal'},
  H: {tone: 'high', name: 'high'},
  HH: {tone: 'crit', name: 'critically high'},
};

export function levelTone(level: string | null): Tone {
  return kLevels[level ?? '']?.tone ?? 'mute';
}

export function levelName(level: string | null): string {
  return kLevels[level ?? '']?.name ?? 'not judged';
}

// Implausible and repeated readings are shown, but count for nothing.
export function counts(reading: Reading): boolean {
  return reading.systolic !== null && !/\b(implausible|repeat_of)\b/.test(reading.quality);
}

export function isNight(reading: Pick<Reading, 'time' | 'offsetMinutes'>): boolean {
  const offset = reading.offsetMinutes ?? -new Date(reading.time).getTimezoneOffset();
  const hour = new Date(reading.time + offset * 60_000).getUTCHours();
  return hour >= 22 || hour < 6;
}

export function median(values: number[]): number | null {
  if (!values.length) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export interface Pair {
  systolic: number | null;
  diastolic: number | null;
  readings: number;
}

export function medianPair(readings: Reading[]): Pair {
  const usable = readings.filter(counts);
  return {
    systolic: median(usable.map((r) => r.systolic!)),
    diastolic: median(usable.map((r) => r.diastolic).filter((d): d is number => d !== null)),
    readings: usable.length,
  };
}

export interface Baseline {
  mean: number;
  spread: number; // standard deviation
  readings: number;
}

// Systolic, of the last readings before the newest: what the newest is compared with.
export function ownBaseline(readings: Reading[], most = 52, least = 12): Baseline | null {
  const values = readings.filter(counts).slice(0, -1).slice(-most).map((r) => r.systolic!);
  if (values.length < least) return null;
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const square = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1);
  return {mean, spread: Math.sqrt(square), readings: values.length};
}

// The median of the last readings at each: the dashed line of the chart.
export function runningMedian(readings: Reading[], of: number): Array<number | null> {
  const recent: number[] = [];
  return readings.map((reading) => {
    if (counts(reading)) {
      recent.push(reading.systolic!);
      if (recent.length > of) recent.shift();
    }
    return median(recent);
  });
}
