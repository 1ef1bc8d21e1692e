import assert from 'node:assert/strict';
import {test} from 'node:test';

import {applyCompletion, complete, quoteName, tokens, type Schema} from './sql_text';

const kSchema: Schema = {
  tables: ['silver.patient', 'gold.bp_daily'],
  columns: new Map([['silver.patient', [{name: 'family_name', type: 'VARCHAR'}, {name: 'id', type: 'VARCHAR'}]]]),
};
const offered = (sql: string): string[] => complete(sql, sql.length, kSchema).map((c) => c.text);

test('tokens joined are the text', () => {
  for (const sql of ["SELECT 'it''s' -- x\n/* y */ \"a b\" 1.5e3", "SELECT 'open", '/* open', '']) {
    assert.equal(tokens(sql).map((t) => t.text).join(''), sql);
  }
  const kinds = tokens("SELECT count(x) FROM t WHERE a = 'from'").filter((t) => t.kind !== 'other').map((t) => t.kind);
  assert.deepEqual(kinds, ['keyword', 'function', 'name', 'keyword', 'name', 'keyword', 'name', 'string']);
});

test('tables behind FROM, columns of the tables named', () => {
  assert.deepEqual(offered('SELECT * FROM '), ['silver.patient', 'gold.bp_daily']);
  assert.deepEqual(offered('SELECT * FROM pat'), ['silver.patient']);
  assert.ok(offered('FROM silver.patient SELECT fam').includes('family_name'));
  assert.ok(offered('FROM silver.patient p SELECT p.fam').includes('family_name'));
  assert.ok(offered('sel').includes('SELECT'));
  assert.deepEqual(offered('SELECT '), []);
});

test('a completion replaces the word, behind an alias its last part', () => {
  const sql = 'FROM silver.patient p SELECT p.fam';
  const done = applyCompletion(sql, sql.length, {text: 'family_name', kind: 'column', note: ''});
  assert.equal(done.sql, 'FROM silver.patient p SELECT p.family_name');
  assert.equal(applyCompletion('FROM pat', 8, {text: 'silver.patient', kind: 'table', note: ''}).sql, 'FROM silver.patient');
});

test('names are quoted where they must be', () => {
  assert.equal(quoteName('silver.patient'), 'silver.patient');
  assert.equal(quoteName('my view.a"b'), '"my view"."a""b"');
});
