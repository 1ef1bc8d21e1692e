import assert from 'node:assert/strict';
import {test} from 'node:test';

import {age, ago, bytes, count, initials, span, uptime} from './format';

test('spans have the unit that people would use', () => {
  assert.equal(span(0.005), '5 ms');
  assert.equal(span(0.6), '0.6 s');
  assert.equal(span(42), '42 s');
  assert.equal(span(600), '10 min');
  assert.equal(span(3 * 3600), '3 h');
  assert.equal(span(9 * 86400), '9 d');
});

test('ago counts whole units', () => {
  const now = Date.parse('2026-11-26T12:00:00Z');
  assert.equal(ago('2026-11-26T11:59:58Z', now), 'now');
  assert.equal(ago('2026-11-26T11:59:01Z', now), '59 s');
  assert.equal(ago('2026-11-26T10:31:00Z', now), '1 h');
  assert.equal(ago('2026-11-20T12:00:00Z', now), '6 d');
  assert.equal(ago('2024-11-28T12:00:00Z', now), '728 d');
  assert.equal(ago('1948-11-20T12:00:00Z', now), '78 y');
  assert.equal(ago(null, now), '–');
});

test('ages turn on the birthday', () => {
  assert.equal(age('1960-11-26', Date.parse('2026-11-26T12:00:00')), 66);
  assert.equal(age('1960-11-27', Date.parse('2026-11-26T12:00:00')), 65);
  assert.equal(age(null, 0), null);
});

test('counts, sizes, times of running, initials', () => {
  assert.equal(count(1204331), '1,204,331');
  assert.equal(bytes(0), '0 B');
  assert.equal(bytes(14_331_098), '14.3 MB');
  assert.equal(uptime(11520), '3 h 12 min');
  assert.equal(initials('Maya Luise Lefèvre'), 'ML');
});
