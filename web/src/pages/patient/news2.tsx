// The person's last NEWS2, with its inputs and their ages.
import type {JSX} from 'preact';

import {get, rows} from '../../lib/api';
import {ago, decimal, moment, span} from '../../lib/format';
import {useLoad} from '../../lib/load';
import type {TableEntry} from '../../lib/types';
import {Pill, type Tone} from '../../ui/parts';
import {Loading} from '../../ui/states';

interface Score {
  time: string;
  total: number;
  complete: boolean;
  parameters: number;
  response: string | null;
  scale: number;
  [input: string]: number | string | boolean | null;
}

const kInputs: Array<{column: string; name: string; unit: string; digits: number}> = [
  {column: 'respiratory_rate', name: 'Respiration', unit: '/min', digits: 0},
  {column: 'oxygen_saturation', name: 'SpO₂', unit: '%', digits: 0},
  {column: 'systolic', name: 'Systolic', unit: 'mmHg', digits: 0},
  {column: 'pulse', name: 'Pulse', unit: '/min', digits: 0},
  {column: 'temperature', name: 'Temperature', unit: '°C', digits: 1},
  {column: 'on_oxygen', name: 'On oxygen', unit: '', digits: 0},
  {column: 'alert', name: 'Alert', unit: '', digits: 0},
];
const kAllInputs = 7;
const kTable = 'gold.news2';

const kTones: Record<string, Tone> = {emergency: 'crit', urgent: 'high', 'ward-review': 'warn', routine: 'ok'};

function ResponsePill({score}: {score: Score}): JSX.Element {
  const known = score.response !== null && score.response !== 'incomplete';
  return (
    <Pill tone={kTones[score.response ?? ''] ?? 'mute'}>
      {known ? score.response!.replace(/-/g, ' ') : `${score.parameters} of ${kAllInputs} inputs`}
    </Pill>
  );
}

async function load(id: string, signal: AbortSignal): Promise<Score | null> {
  const {tables} = await get<{tables: TableEntry[]}>('/tables', signal);
  if (!tables.some((t) => t.name === kTable && t.version !== null)) return null; // nothing was scored so far
  const found = await rows<Score>(`SELECT * FROM ${kTable} WHERE patient_id = $1 ORDER BY time DESC LIMIT 1`, [id], signal);
  return found[0] ?? null;
}

function inputText(score: Score, input: (typeof kInputs)[number]): string {
  const value = score[input.column];
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : `${decimal(value as number, input.digits)} ${input.unit}`;
}

export function News2({id, now}: {id: string; now: number}): JSX.Element {
  const score = useLoad(`news2 ${id}`, (signal) => load(id, signal), 20);
  return (
    <div class="part">
      <h3>NEWS2{score.data && <span class="faint" title={moment(score.data.time, now, true)}>{ago(score.data.time, now)}</span>}</h3>
      <Loading of={score} lines={2}>
        {(s) => {
          if (s === null) return <p class="faint">Not scored: from 16 years on, and only with more than a cuff can tell.</p>;
          const known = kInputs.filter((input) => s[input.column] !== null);
          const missing = kInputs.filter((input) => s[input.column] === null);
          return (
            <>
              <div class="news">
                <b>{s.complete ? s.total : `≥ ${s.total}`}</b>
                <ResponsePill score={s} />
              </div>
              <dl class="kv">
                {known.map((input) => (
                  <>
                    <dt>{input.name}</dt>
                    <dd>{inputText(s, input)} <span class="faint" title="age at the score">{span(Number(s[`${input.column}_age_s`] ?? 0))}</span></dd>
                  </>
                ))}
              </dl>
              {missing.length > 0 && <p class="faint small">Absent, which is not normal: {missing.map((m) => m.name).join(', ')}.</p>}
            </>
          );
        }}
      </Loading>
    </div>
  );
}
