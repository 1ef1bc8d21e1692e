import assert from 'node:assert/strict';
import {test} from 'node:test';

import {cellText, chartPlan, compareCells, kindOf} from './grid';

test('columns by type', () => {
  const kind = (type: string): string => kindOf({name: 'x', type});
  assert.deepEqual(['BIGINT', 'DECIMAL(18,6)', 'UINTEGER', 'INTEGER[]', 'TIMESTAMP WITH TIME ZONE', 'DATE', 'VARCHAR', 'INTERVAL'].map(kind),
    ['number', 'number', 'number', 'text', 'time', 'date', 'text', 'text']);
});

test('cells as text, and NULL last', () => {
  assert.equal(cellText(null, 'text'), 'NULL');
  assert.equal(cellText(119.5999984741211, 'number'), '119.599998');
  assert.equal(cellText('2026-11-22T17:00:00.000000Z', 'time'), '2026-11-22 17:00:00');
  assert.deepEqual([null, 2, 10].sort(compareCells), [2, 10, null]);
});

test('what may be drawn, and how', () => {
  const rows = [['a', 1], ['b', 2]];
  assert.deepEqual(chartPlan([{name: 'k', type: 'VARCHAR'}, {name: 'n', type: 'BIGINT'}], rows), {x: 0, ys: [1], kind: 'bars'});
  assert.deepEqual(chartPlan([{name: 'n', type: 'BIGINT'}, {name: 'd', type: 'DATE'}], rows), {x: 1, ys: [0], kind: 'line'});
  assert.equal(chartPlan([{name: 'k', type: 'VARCHAR'}], rows), null);
});
