// The other vital signs: the latest value of each, and its daily means in that value's unit.
import type {JSX} from 'preact';

import {vitalName} from '../../lib/alerts';
import {rows} from '../../lib/api';
import {ago, decimal} from '../../lib/format';
import {useLoad} from '../../lib/load';
import {useNow} from '../../lib/now';
import {Card, Spark} from '../../ui/parts';
import {Empty, Loading} from '../../ui/states';

interface Vital {
  code: string;
  display: string | null;
  value: number;
  unit: string | null;
  effective_time: string | null;
  means: number[];
}

const kPressures = "('8480-6', '8462-4', '8478-0', '85354-9')";
const kUnits: Record<string, string> = {Cel: '°C', '{score}': ''};

async function load(id: string, signal: AbortSignal): Promise<Vital[]> {
  const latest = await rows<Vital>(
    `SELECT code, display, value, unit, effective_time FROM gold.latest_vital
     WHERE patient_id = $1 AND code NOT IN ${kPressures} ORDER BY code`,
    [id],
    signal,
  );
  const days = await rows<{code: string; unit: string | null; mean: number}>(
    `SELECT code, unit, mean FROM gold.vital_daily WHERE patient_id = $1 AND code NOT IN ${kPressures} ORDER BY code, day`,
    [id],
    signal,
  );
  return latest.map((v) => ({
    ...v,
    means: days.filter((d) => d.code === v.code && d.unit === v.unit).map((d) => d.mean),
  }));
}

export function Vitals({id}: {id: string}): JSX.Element {
  const vitals = useLoad(`vitals ${id}`, (signal) => load(id, signal), 30);
  const now = useNow();
  return (
    <Card title="Other vital signs" aside="latest, and the mean of each day">
      <Loading of={vitals} lines={3}>
        {(data) =>
          data.length === 0 ? (
            <Empty icon="chart" title="None so far" />
          ) : (
            <div class="vitals">
              {data.map((v) => {
                const known = vitalName(v.code);
                return (
                  <div class="vital" key={v.code}>
                    <div class="k">{known === v.code ? (v.display ?? v.code) : known}</div>
                    <div class="v">{decimal(v.value, v.value < 60 ? 1 : 0)}<small>{kUnits[v.unit ?? ''] ?? v.unit}</small></div>
                    <div class="faint small">{ago(v.effective_time, now)}</div>
                    <Spark values={v.means.slice(-28)} width={180} height={30} label={`${known}, mean of each day`} />
                  </div>
                );
              })}
            </div>
          )
        }
      </Loading>
    </Card>
  );
}
