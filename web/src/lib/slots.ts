// Readings as the pressure chart draws them: one bar each, or one bar of medians with whiskers where
// several would cover each other.
import {isNight, median, runningMedian, type Reading} from './pressure';

export interface Slot {
  time: number; // seconds since 1970
  systolic: number;
  diastolic: number;
  highest: number;
  lowest: number;
  readings: number;
  night: boolean;
  alert: boolean;
  usual: number | null; // the running median
  level: string | null; // of a single reading
}

const kMedianOf = 12;
const kLevelRank = ['LL', 'HH', 'AA', 'L', 'H', 'A', 'N'];

function slotOf(group: Reading[], usual: number | null, alerted: ReadonlySet<string>): Slot {
  const systolic = group.map((r) => r.systolic!);
  const diastolic = group.map((r) => r.diastolic).filter((d): d is number => d !== null);
  const top = median(systolic)!;
  const levels = group.map((r) => r.level).filter((l): l is string => l !== null);
  return {
    time: group.reduce((sum, r) => sum + r.time, 0) / group.length / 1000,
    systolic: top,
    diastolic: median(diastolic) ?? top,
    highest: Math.max(...systolic),
    lowest: diastolic.length ? Math.min(...diastolic) : Math.min(...systolic),
    readings: group.length,
    night: group.every(isNight),
    alert: group.some((r) => alerted.has(r.id)),
    usual,
    level: levels.sort((a, b) => kLevelRank.indexOf(a) - kLevelRank.indexOf(b))[0] ?? null,
  };
}

// `readings`: in order of time. `seconds`: how much one bar covers.
export function slots(readings: Reading[], from: number, seconds: number, alerted: ReadonlySet<string>): Slot[] {
  const usual = runningMedian(readings, kMedianOf);
  const made: Slot[] = [];
  let group: Reading[] = [];
  let number = NaN;
  const finish = (end: number): void => {
    if (group.length) made.push(slotOf(group, usual[end] ?? null, alerted));
    group = [];
  };
  readings.forEach((reading, i) => {
    if (reading.systolic === null || reading.time < from * 1000) return;
    const of = Math.floor(reading.time / 1000 / seconds);
    if (of !== number) finish(i - 1);
    number = of;
    group.push(reading);
  });
  finish(readings.length - 1);
  return made;
}
