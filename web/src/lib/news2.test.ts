// Expected points: Royal College of Physicians, NEWS2 chart 1.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {kOldestMs, news2, type Input} from './news2';

const kNow = 1_800_000_000_000;
const of = (code: string, value: number, ageMs = 0): Input => ({code, value, time: kNow - ageMs});
const points = (code: string, value: number): number => news2([of(code, value)], kNow).total;

test('every parameter at the edges of its steps', () => {
  const chart: Array<[string, Array<[number, number]>]> = [
    ['9279-1', [[8, 3], [9, 1], [11, 1], [12, 0], [20, 0], [21, 2], [24, 2], [25, 3]]],
    ['2708-6', [[91, 3], [92, 2], [93, 2], [94, 1], [95, 1], [96, 0], [100, 0]]],
    ['8480-6', [[90, 3], [91, 2], [100, 2], [101, 1], [110, 1], [111, 0], [219, 0], [220, 3]]],
    ['8867-4', [[40, 3], [41, 1], [50, 1], [51, 0], [90, 0], [91, 1], [110, 1], [111, 2], [130, 2], [131, 3]]],
    ['8310-5', [[35.0, 3], [35.1, 1], [36.0, 1], [36.1, 0], [38.0, 0], [38.1, 1], [39.0, 1], [39.1, 2]]],
  ];
  for (const [code, steps] of chart) {
    for (const [value, wanted] of steps) assert.equal(points(code, value), wanted, `${code} ${value}`);
  }
});

test('what is absent or too old is no normal value', () => {
  const score = news2([of('8867-4', 70), of('8310-5', 40, kOldestMs + 1)], kNow);
  assert.equal(score.total, 0);
  assert.equal(score.risk, 'unknown');
  assert.deepEqual(score.missing, ['Respiration', 'SpO₂', 'Systolic', 'Temperature']);
});

test('risk: a single three, five, seven', () => {
  assert.equal(news2([of('9279-1', 26)], kNow).risk, 'low to medium');
  assert.equal(news2([of('9279-1', 26), of('8867-4', 120)], kNow).risk, 'medium');
  assert.equal(news2([of('9279-1', 26), of('8867-4', 135), of('8310-5', 38.5)], kNow).risk, 'high');
});

test('the newest of several counts', () => {
  assert.equal(news2([of('8867-4', 140, 1000), of('8867-4', 70)], kNow).total, 0);
});
