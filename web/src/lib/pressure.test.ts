import assert from 'node:assert/strict';
import {test} from 'node:test';

import {counts, isNight, median, medianPair, ownBaseline, type Reading} from './pressure';
import {slots} from './slots';

const kStart = Date.parse('2026-11-26T08:00:00Z');

function reading(minutes: number, systolic: number, more: Partial<Reading> = {}): Reading {
  return {
    id: `r${minutes}`, time: kStart + minutes * 60_000, offsetMinutes: 0, systolic, diastolic: 80, level: 'N', quality: '',
    device: null, setting: null, ...more,
  };
}

test('medians', () => {
  assert.equal(median([]), null);
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  const pair = medianPair([reading(0, 120), reading(1, 130), reading(2, 300, {quality: 'implausible'})]);
  assert.deepEqual(pair, {systolic: 125, diastolic: 80, readings: 2});
});

test('night is by the clock of the sender', () => {
  const at = (time: string, offsetMinutes: number): boolean => isNight({time: Date.parse(time), offsetMinutes});
  assert.equal(at('2026-11-26T21:30:00Z', 60), true);
  assert.equal(at('2026-11-26T21:30:00Z', 0), false);
  assert.equal(at('2026-11-26T05:59:00Z', 0), true);
  assert.equal(at('2026-11-26T06:00:00Z', 0), false);
});

test('the baseline leaves out the newest and what does not count', () => {
  const before = Array.from({length: 12}, (_, i) => reading(i, i % 2 ? 121 : 119));
  assert.equal(ownBaseline(before), null); // eleven before the newest
  const found = ownBaseline([...before, reading(12, 250, {quality: 'repeat_of'}), reading(13, 200)]);
  assert.equal(found!.mean, 120);
  assert.equal(found!.readings, 12);
  assert.equal(counts(reading(0, 120, {quality: 'converted unusual'})), true);
});

test('readings that would cover each other share a bar', () => {
  const all = [reading(0, 120), reading(1, 140), reading(2, 130), reading(90, 150)];
  const made = slots(all, kStart / 1000, 3600, new Set(['r1']));
  assert.equal(made.length, 2);
  assert.deepEqual([made[0]!.systolic, made[0]!.highest, made[0]!.readings, made[0]!.alert], [130, 140, 3, true]);
  assert.deepEqual([made[1]!.systolic, made[1]!.readings, made[1]!.alert], [150, 1, false]);
  assert.equal(slots(all, kStart / 1000 + 3600, 3600, new Set()).length, 1);
});
