// The list of patients: search as you type, by category, sorted by any column.
import type {JSX} from 'preact';
import {useEffect, useState} from 'preact/hooks';

import {rows} from '../lib/api';
import {categoryCondition, categoryOf, kCategoryLabels} from '../lib/categories';
import {age, ago, count, decimal, initials, moment, plural} from '../lib/format';
import {alertsOn} from '../lib/live';
import {useLoad} from '../lib/load';
import {fullName, learnNames} from '../lib/names';
import {useNow} from '../lib/now';
import {nameCondition, patterns, type FoundPatient} from '../lib/patients';
import {go, link, replace} from '../lib/router';
import {useStore} from '../lib/store';
import type {Alert} from '../lib/types';
import {Icon} from '../ui/icons';
import {Pill, severityTone, Spark} from '../ui/parts';
import {SortHead, type Order} from '../ui/sort_head';
import {Empty, Loading} from '../ui/states';

interface Patient extends FoundPatient {
  state: string | null;
  category: string;
  readings: number;
  last_effective_time: string | null;
  last_systolic_pressure: number | null;
  last_diastolic_pressure: number | null;
  avg_28d_systolic_pressure: number | null;
  avg_28d_diastolic_pressure: number | null;
  matching: number;
}

const kPageSize = 50;
const kEverySeconds = 10;
// What may be sorted by, as SQL.
const kOrders: Record<string, string> = {
  name: 'family_name, given_name',
  age: 'birth_date',
  last: 'last_systolic_pressure',
  mean: 'avg_28d_systolic_pressure',
  seen: 'last_effective_time',
  readings: 'readings',
};

function load(text: string, category: string, order: Order, shown: number, signal: AbortSignal): Promise<Patient[]> {
  const words = patterns(text);
  // A higher age is an earlier birth.
  const falls = order.falling !== (order.by === 'age');
  const by = (kOrders[order.by] ?? kOrders.name!).split(', ').map((c) => `${c} ${falls ? 'DESC' : 'ASC'} NULLS LAST`).join(', ');
  return rows<Patient>(
    `SELECT id, given_name, family_name, gender, birth_date, city, state, category, readings, last_effective_time,
       last_systolic_pressure, last_diastolic_pressure, avg_28d_systolic_pressure, avg_28d_diastolic_pressure,
       count(*) OVER () AS matching
     FROM gold.patient_observations WHERE ${nameCondition(words)} AND ${categoryCondition(category)}
     ORDER BY ${by}, id LIMIT ${shown}`,
    words,
    signal,
  );
}

async function loadTrends(ids: string[], signal: AbortSignal): Promise<Map<string, number[]>> {
  if (!ids.length) return new Map();
  const found = await rows<{patient_id: string; mean_systolic: number}>(
    `SELECT patient_id, mean_systolic FROM gold.bp_daily
     WHERE patient_id IN (${ids.map((_, i) => `$${i + 1}`).join(', ')}) AND mean_systolic IS NOT NULL ORDER BY patient_id, day`,
    ids,
    signal,
  );
  const trends = new Map<string, number[]>();
  for (const row of found) {
    const days = trends.get(row.patient_id) ?? [];
    days.push(row.mean_systolic);
    trends.set(row.patient_id, days);
  }
  return trends;
}

// Follows what is typed once typing pauses.
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(text), 140);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

function Row({patient: p, alert, trend, now}: {patient: Patient; alert: Alert | undefined; trend: number[] | undefined; now: number}): JSX.Element {
  const name = fullName(p.given_name, p.family_name) || p.id;
  const category = categoryOf(p.category);
  return (
    <tr class="is-link" onClick={(event) => !(event.target as Element).closest('a') && go(link('patients', [p.id]))}>
      <td>
        <div class="who">
          <span class="face" aria-hidden="true">{initials(name)}</span>
          <div>
            <a class="rowlink" href={link('patients', [p.id])}>{name}</a>
            <div class="sub mono">{p.id}</div>
          </div>
        </div>
      </td>
      <td class="hide soft">{p.gender ?? '–'}</td>
      <td class="hide num">{age(p.birth_date, now) ?? '–'}</td>
      <td class="hide-mid soft">{[p.city, p.state].filter(Boolean).join(', ') || '–'}</td>
      <td class="num"><b>{decimal(p.last_systolic_pressure, 0)}</b><span class="faint"> / {decimal(p.last_diastolic_pressure, 0)}</span></td>
      <td class="hide num">{decimal(p.avg_28d_systolic_pressure, 0)}<span class="faint"> / {decimal(p.avg_28d_diastolic_pressure, 0)}</span></td>
      <td class="hide-mid trend">{trend && <Spark values={trend.slice(-28)} width={92} height={22} label="Mean systolic pressure a day" />}</td>
      <td><Pill bare tone={category.pill} title={p.category}>{category.label}</Pill></td>
      <td class="hide">{alert && <Pill tone={severityTone(alert.severity)}>{alert.severity}</Pill>}</td>
      <td class="hide-mid num">{count(p.readings)}</td>
      <td class="hide num soft" title={moment(p.last_effective_time, now)}>{ago(p.last_effective_time, now)}</td>
    </tr>
  );
}

export function PatientsPage({query}: {query: URLSearchParams}): JSX.Element {
  const [text, setText] = useState(query.get('q') ?? '');
  const category = query.get('category') ?? '';
  const [order, setOrder] = useState<Order>({by: 'name', falling: false});
  const [shown, setShown] = useState(kPageSize);
  const settled = useSettled(text);
  const now = useNow();
  useEffect(() => replace(link('patients', [], {q: settled, category})), [settled, category]);
  const key = JSON.stringify(['patients', settled, category, order, shown]);
  const patients = useLoad(key, (signal) => load(settled, category, order, shown, signal), kEverySeconds);
  const ids = patients.data?.map((p) => p.id) ?? [];
  const trends = useLoad(`trends ${ids.join(' ')}`, (signal) => loadTrends(ids, signal));
  useEffect(() => learnNames((patients.data ?? []).map((p) => ({id: p.id, name: fullName(p.given_name, p.family_name)}))), [patients.data]);
  const alerts = useStore(alertsOn) ?? [];
  const gravest = new Map<string, Alert>();
  for (const alert of [...alerts].reverse()) {
    const known = alert.patient_id ? gravest.get(alert.patient_id) : undefined;
    if (alert.patient_id && (!known || alert.severity === 'critical')) gravest.set(alert.patient_id, alert);
  }
  const matching = patients.data?.[0]?.matching ?? 0;
  const head = (by: string, name: string, more = '', number = false): JSX.Element => (
    <SortHead by={by} order={order} onOrder={setOrder} class={`${more}${number ? ' num' : ''}`}>{name}</SortHead>
  );
  return (
    <>
      <div class="bar-row">
        <label class="with-icon grow">
          <span class="sr">Search by name, city or id</span>
          <Icon name="search" />
          <input class="field" type="search" placeholder="Search by name, city or id" value={text} onInput={(event) => {
            setText(event.currentTarget.value);
            setShown(kPageSize);
          }} />
        </label>
        <label>
          <span class="sr">Category</span>
          <select class="field" value={category} onChange={(event) => replace(link('patients', [], {q: settled, category: event.currentTarget.value}))}>
            <option value="">All categories</option>
            {kCategoryLabels.map((label) => <option key={label} value={label}>{label}</option>)}
          </select>
        </label>
        <span class="push faint" aria-live="polite">{patients.data && plural(matching, 'patient')}</span>
      </div>
      <section class="card flush list">
        <Loading of={patients} lines={12}>
          {(data) =>
            data.length === 0 ? (
              <Empty icon="search" title={settled || category ? 'No patient matches' : 'No patients yet'}>
                {settled || category ? 'Fewer letters or another category may find more.' : 'Patients appear once they have been taken in.'}
              </Empty>
            ) : (
              <div class="scroll">
                <table>
                  <thead>
                    <tr>
                      {head('name', 'Patient')}
                      <th class="hide">Gender</th>
                      {head('age', 'Age', 'hide', true)}
                      <th class="hide-mid">Lives in</th>
                      {head('last', 'Last', '', true)}
                      {head('mean', 'Mean 28 d', 'hide', true)}
                      <th class="hide-mid">Trend</th>
                      <th>Category</th>
                      <th class="hide">Alert</th>
                      {head('readings', 'Readings', 'hide-mid', true)}
                      {head('seen', 'Seen', 'hide', true)}
                    </tr>
                  </thead>
                  <tbody>
                    {data.map((p) => <Row key={p.id} patient={p} alert={gravest.get(p.id)} trend={trends.data?.get(p.id)} now={now} />)}
                  </tbody>
                </table>
              </div>
            )
          }
        </Loading>
      </section>
      {matching > shown && (
        <p class="more-row"><button type="button" class="button" onClick={() => setShown(shown + 2 * kPageSize)}>Show more of {count(matching)}</button></p>
      )}
    </>
  );
}
