import assert from 'node:assert/strict';
import {test} from 'node:test';

import {gravestFirst, ruleName, valueText, withAlert} from './alerts';
import type {Alert} from './types';

function alert(id: string, sequence: number, more: Partial<Alert> = {}): Alert {
  return {
    alert_id: id, sequence, source_partition: 's/0', state: 'open', severity: 'high', opened_at: '2026-11-26T10:00:00Z',
    updated_at: '2026-11-26T10:00:00Z', vital: '85354-9', value: 187, diastolic: 119.5999984741211, ...more,
  } as Alert;
}

test('the higher sequence counts, and what is over leaves', () => {
  let known = withAlert([], alert('a', 1));
  known = withAlert(known, alert('a', 0, {severity: 'low'}));
  assert.equal(known[0]!.severity, 'high');
  known = withAlert(known, alert('b', 2, {opened_at: '2026-11-26T11:00:00Z'}));
  assert.deepEqual(known.map((a) => a.alert_id), ['b', 'a']);
  known = withAlert(known, alert('b', 3, {state: 'closed'}));
  assert.deepEqual(known.map((a) => a.alert_id), ['a']);
});

test('across partitions the later counts', () => {
  const known = withAlert([alert('a', 9, {updated_at: '2026-11-26T10:05:00Z'})], alert('a', 1, {source_partition: 's/1', updated_at: '2026-11-26T10:09:00Z', severity: 'low'}));
  assert.equal(known[0]!.severity, 'low');
});

test('graver ones stand first; values are short', () => {
  const sorted = [alert('a', 1, {severity: 'medium'}), alert('b', 2, {severity: 'critical'})].sort(gravestFirst);
  assert.equal(sorted[0]!.alert_id, 'b');
  assert.equal(valueText(alert('a', 1), true), '187 / 119.6 mmHg');
  assert.equal(ruleName('severe-high'), 'Severely high');
  assert.equal(ruleName('some-new-rule'), 'Some new rule');
});
