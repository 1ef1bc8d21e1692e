// One table: schema with what its files' statistics tell, history, rows.
import type {ComponentChildren, JSX} from 'preact';

import {get, sqlResponse, type QueryResult} from '../../lib/api';
import {ago, bytes, count, moment, plural} from '../../lib/format';
import {useLoad} from '../../lib/load';
import {useNow} from '../../lib/now';
import {link} from '../../lib/router';
import {quoteName} from '../../lib/sql_text';
import type {TableColumn, TableDetail} from '../../lib/types';
import {Icon} from '../../ui/icons';
import {Card, Pill} from '../../ui/parts';
import {ResultGrid} from '../../ui/result_grid';
import {Empty, Loading} from '../../ui/states';

const kHistory = 50;
const kSample = 20;
const kEverySeconds = 10;

function Fact({name, children}: {name: string; children: ComponentChildren}): JSX.Element {
  return (
    <div class="tile">
      <div class="k">{name}</div>
      <div class="v">{children}</div>
    </div>
  );
}

function text(value: TableColumn['min']): string {
  return value === null || value === undefined ? '' : String(value).replace(/(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\.?\d*Z?/, '$1 $2');
}

function Schema({table}: {table: TableDetail}): JSX.Element {
  return (
    <Card flush title="Schema" aside={plural(table.columns.length, 'column')} class="schema">
      <div class="tall" tabIndex={0} role="region" aria-label="Schema">
        <table>
          <thead>
            <tr>
              <th>Column</th>
              <th>Type</th>
              <th class="num hide">Nulls</th>
              <th class="hide">Smallest</th>
              <th class="hide">Largest</th>
            </tr>
          </thead>
          <tbody>
            {table.columns.map((c) => (
              <tr key={c.name}>
                <td class="mono">{c.name}</td>
                <td class="soft mono">{c.type}{c.nullable === false && <span class="faint"> not null</span>}</td>
                <td class="num hide soft">{c.nulls === null ? '' : count(c.nulls)}</td>
                <td class="hide faint stat" title={text(c.min)}>{text(c.min)}</td>
                <td class="hide faint stat" title={text(c.max)}>{text(c.max)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function History({table, now}: {table: TableDetail; now: number}): JSX.Element {
  const metric = (m: Record<string, string> | null): string => {
    const rows = m?.numOutputRows ?? m?.numTargetRowsInserted ?? m?.num_added_rows;
    return rows === undefined ? '' : `${count(Number(rows))} rows`;
  };
  return (
    <Card title="History" aside={table.version === null ? '' : `version ${count(table.version)}`}>
      <ol class="steps tall" tabIndex={0} aria-label="History">
        {(table.history ?? []).map((h) => (
          <li key={h.version}>
            <span class="faint mono">{h.version}</span>
            <b>{h.operation.toLowerCase().replace(/_/g, ' ')} <span class="faint small">{metric(h.metrics)}</span></b>
            <a class="soft num link" href={link('sql', [], {q: `FROM ${quoteName(table.name)} AT (VERSION => ${h.version}) LIMIT 100`})} title={moment(h.time, now, true)}>{ago(h.time, now)}</a>
          </li>
        ))}
      </ol>
    </Card>
  );
}

function Rows({name}: {name: string}): JSX.Element {
  const query = `SELECT * FROM ${quoteName(name)} LIMIT ${kSample}`;
  const result = useLoad(`rows ${name}`, async (signal) => (await sqlResponse(query, [], {signal})).json() as Promise<QueryResult>);
  return (
    <Card span={12} flush title="Rows" aside={<a class="link" href={link('sql', [], {q: query})}>open in SQL</a>}>
      <Loading of={result} lines={6}>
        {(data) => (data.rows.length ? <ResultGrid columns={data.columns} rows={data.rows} label={`Rows of ${name}`} height={330} /> : <Empty icon="table" title="No rows" />)}
      </Loading>
    </Card>
  );
}

export function TableDetailSection({name}: {name: string}): JSX.Element {
  const table = useLoad(`table ${name}`, (signal) => get<TableDetail>(`/tables/${encodeURIComponent(name)}?history=${kHistory}`, signal), kEverySeconds);
  const now = useNow();
  return (
    <Loading of={table} lines={12}>
      {(t) => (
        <>
          <div class="phead">
            <a class="button back" href={link('data', ['tables'])} aria-label="All tables"><Icon name="back" /></a>
            <h2 class="mono">{t.name}</h2>
            <Pill bare>{t.kind === 'view' ? 'view' : t.layer}</Pill>
            {t.protocol && <span class="faint hide">reader {t.protocol.reader}, writer {t.protocol.writer} · {t.protocol.features.join(', ')}</span>}
          </div>
          <div class="grid">
            {t.kind === 'table' && (
              <div class="tiles">
                <Fact name="Rows">{count(t.rows)}</Fact>
                <Fact name="Size">{bytes(t.bytes)}</Fact>
                <Fact name="Files">{count(t.files)}<small>{t.file_statistics && t.files ? `${bytes(t.file_statistics.average_bytes)} each` : ''}</small></Fact>
                <Fact name="Version">{count(t.version)}</Fact>
                <Fact name="Changed">{ago(t.changed, now)}</Fact>
              </div>
            )}
            <div class={t.kind === 'table' ? 'c8 stack' : 'c6 stack'}><Schema table={t} /></div>
            <div class={t.kind === 'table' ? 'c4 stack' : 'c6 stack'}>
              {t.kind === 'table' ? <History table={t} now={now} /> : <Card title="Definition"><pre class="definition" tabIndex={0}>{t.sql}</pre></Card>}
            </div>
            <Rows name={t.name} />
          </div>
        </>
      )}
    </Loading>
  );
}
