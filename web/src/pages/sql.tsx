// Questions to the lake: an editor that knows the tables, the rows, a chart of them.
import type {JSX} from 'preact';
import {useEffect, useRef, useState} from 'preact/hooks';

import {Fault, rows, sqlResponse, type QueryResult} from '../lib/api';
import {count, plural, span} from '../lib/format';
import {chartPlan} from '../lib/grid';
import {useLoad} from '../lib/load';
import {useNow} from '../lib/now';
import {link, replace} from '../lib/router';
import type {Schema} from '../lib/sql_text';
import {Icon} from '../ui/icons';
import {Card, Segmented} from '../ui/parts';
import {ResultGrid} from '../ui/result_grid';
import {Empty, FaultBox} from '../ui/states';
import {tell} from '../shell/toasts';
import {Editor} from './sql/editor';
import {ResultChart} from './sql/result_chart';
import {Side} from './sql/side';

type State =
  | {kind: 'idle'}
  | {kind: 'running'; since: number}
  | {kind: 'done'; result: QueryResult; seconds: number}
  | {kind: 'failed'; fault: Fault}
  | {kind: 'cancelled'; seconds: number};

const kHistoryKey = 'vitalake.sql.history';
const kTextKey = 'vitalake.sql.text';
const kMostHistory = 15;
const kLimit = 10_000;
const kFormats = [
  {format: 'csv', label: 'CSV'},
  {format: 'ndjson', label: 'NDJSON'},
  {format: 'parquet', label: 'Parquet'},
] as const;
const kFirst = `-- Patients by category
SELECT category, count(*) AS patients, round(avg(avg_28d_systolic_pressure), 1) AS systolic
FROM gold.patient_observations
GROUP BY ALL
ORDER BY patients DESC`;

function readHistory(): string[] {
  try {
    return JSON.parse(localStorage.getItem(kHistoryKey) ?? '[]') as string[];
  } catch {
    return [];
  }
}

interface ColumnRow {
  table_schema: string;
  table_name: string;
  column_name: string;
  data_type: string;
}

async function loadSchema(signal: AbortSignal): Promise<Schema> {
  const found = await rows<ColumnRow>(
    `SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns
     ORDER BY table_schema, table_name, ordinal_position`,
    [],
    signal,
  );
  const columns: Schema['columns'] = new Map();
  for (const row of found) {
    // Views of the user's own have no schema of their own.
    const table = row.table_schema === 'main' ? row.table_name : `${row.table_schema}.${row.table_name}`;
    const known = columns.get(table) ?? [];
    known.push({name: row.column_name, type: row.data_type});
    columns.set(table, known);
  }
  return {tables: [...columns.keys()], columns};
}

function save(blob: Blob, name: string): void {
  const anchor = document.createElement('a');
  anchor.href = URL.createObjectURL(blob);
  anchor.download = name;
  anchor.click();
  window.setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
}

function useQuery(): {state: State; run: (query: string) => void; cancel: () => void} {
  const [state, setState] = useState<State>({kind: 'idle'});
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  const run = (query: string): void => {
    abort.current?.abort();
    const control = new AbortController();
    abort.current = control;
    const since = Date.now();
    const seconds = (): number => (Date.now() - since) / 1000;
    setState({kind: 'running', since});
    sqlResponse(query, [], {signal: control.signal, limit: kLimit})
      .then(async (response) => {
        const result = (await response.json()) as QueryResult;
        if (!control.signal.aborted) setState({kind: 'done', result, seconds: seconds()});
      })
      .catch((error: unknown) => {
        if (abort.current !== control) return;
        if (control.signal.aborted) setState({kind: 'cancelled', seconds: seconds()});
        else setState({kind: 'failed', fault: error instanceof Fault ? error : new Fault('Error', String(error))});
      });
  };
  // The server stops a statement whose client has gone.
  return {state, run, cancel: () => abort.current?.abort()};
}

function Running({since}: {since: number}): JSX.Element {
  const now = useNow();
  return <span class="soft" role="status">running, {span(Math.max(0, Math.round((now - since) / 1000)))}</span>;
}

function Download({query, disabled}: {query: string; disabled: boolean}): JSX.Element {
  const [busy, setBusy] = useState(false);
  const get = (format: (typeof kFormats)[number]['format']): void => {
    setBusy(true);
    sqlResponse(query, [], {format, limit: 10_000_000})
      .then(async (response) => save(await response.blob(), `result.${format}`))
      .catch((error: unknown) => tell('crit', <><b>No download.</b> {error instanceof Fault ? error.message : String(error)}</>))
      .finally(() => setBusy(false));
  };
  return (
    <span class="downloads" role="group" aria-label="Download the whole result">
      <Icon name="download" />
      {kFormats.map((f) => (
        <button key={f.format} type="button" class="button is-quiet" disabled={disabled || busy} onClick={() => get(f.format)}>{f.label}</button>
      ))}
    </span>
  );
}

function Result({state, asked}: {state: State; asked: string}): JSX.Element {
  const [view, setView] = useState<'rows' | 'chart'>('rows');
  if (state.kind === 'failed') return <FaultBox title={state.fault.status === 400 ? 'The statement is not understood' : state.fault.title} detail={state.fault.message} code />;
  if (state.kind !== 'done') {
    return (
      <section class="card result-card">
        {state.kind === 'running' ? (
          <Empty icon="clock" title="Running">Escape cancels it.</Empty>
        ) : state.kind === 'cancelled' ? (
          <Empty icon="stop" title="Cancelled">After {span(state.seconds)}; nothing was changed.</Empty>
        ) : (
          <Empty icon="sql" title="No result yet">Ctrl + Enter runs the statement. It can only read.</Empty>
        )}
      </section>
    );
  }
  const {result, seconds} = state;
  const plan = chartPlan(result.columns, result.rows);
  const shown = plan ? view : 'rows';
  return (
    <Card
      flush
      class="result-card"
      title={
        <>
          {plural(result.row_count, 'row')}
          <span class="faint what">{span(seconds)}{result.truncated ? ` · the first ${count(kLimit)}` : ''}</span>
        </>
      }
      aside={
        <>
          <Download query={asked} disabled={!result.columns.length} />
          {plan && <Segmented label="View" value={shown} onChange={setView} options={[{value: 'rows', label: 'Rows'}, {value: 'chart', label: 'Chart'}]} />}
        </>
      }
    >
      {!result.rows.length ? (
        <Empty icon="table" title="No rows">The statement ran and found none.</Empty>
      ) : shown === 'chart' && plan ? (
        <ResultChart result={result} plan={plan} />
      ) : (
        <ResultGrid columns={result.columns} rows={result.rows} label="Result" />
      )}
    </Card>
  );
}

export function SqlPage({query}: {query: URLSearchParams}): JSX.Element {
  const given = query.get('q');
  const [text, setText] = useState(given ?? localStorage.getItem(kTextKey) ?? kFirst);
  const [asked, setAsked] = useState('');
  const [past, setPast] = useState(readHistory);
  const {state, run, cancel} = useQuery();
  const schema = useLoad('schema', loadSchema);
  const start = (statement: string): void => {
    const trimmed = statement.trim();
    if (!trimmed) return;
    setAsked(trimmed);
    run(trimmed);
    const next = [trimmed, ...past.filter((p) => p !== trimmed)].slice(0, kMostHistory);
    setPast(next);
    localStorage.setItem(kHistoryKey, JSON.stringify(next));
  };
  const edit = (next: string): void => {
    setText(next);
    localStorage.setItem(kTextKey, next);
  };
  useEffect(() => {
    if (given === null) return;
    edit(given);
    start(given);
    replace(link('sql'));
  }, [given]);
  return (
    <div class="sql">
      <div class="stack">
        <section class="card editor-card" aria-label="Statement" onKeyDown={(event) => event.key === 'Escape' && state.kind === 'running' && cancel()}>
          <Editor text={text} schema={schema.data ?? {tables: [], columns: new Map()}} onText={edit} onRun={() => start(text)} />
          <div class="editor-foot">
            {state.kind === 'running' ? (
              <button type="button" class="button" onClick={cancel}><Icon name="stop" />Cancel</button>
            ) : (
              <button type="button" class="button is-main" onClick={() => start(text)}><Icon name="play" />Run</button>
            )}
            {state.kind === 'running' ? <Running since={state.since} /> : <span class="faint hide"><kbd>Ctrl</kbd> <kbd>↵</kbd> runs · <kbd>Ctrl</kbd> <kbd>Space</kbd> completes</span>}
            <span class="push faint hide">reads only · 30 s</span>
          </div>
        </section>
        <Result state={state} asked={asked} />
      </div>
      <Side schema={schema.data} past={past} onText={edit} />
    </div>
  );
}
