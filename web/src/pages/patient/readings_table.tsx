import type {JSX} from 'preact';

import {count, decimal, moment} from '../../lib/format';
import type {Loaded} from '../../lib/load';
import {useNow} from '../../lib/now';
import {counts, levelName, levelTone, type Reading} from '../../lib/pressure';
import {Card, Pill} from '../../ui/parts';
import {Empty, Loading} from '../../ui/states';
import {rangeStart, type Range} from './data';

const kShown = 100;

export function ReadingsTable({readings, range, alerted}: {
  readings: Loaded<Reading[]>;
  range: Range;
  alerted: ReadonlySet<string>;
}): JSX.Element {
  const now = useNow();
  const from = rangeStart(range, readings.data ?? [], now) * 1000;
  const inRange = (readings.data ?? []).filter((r) => r.time >= from);
  const shown = inRange.slice(-kShown).reverse();
  return (
    <Card flush title="Readings" aside={readings.data && (inRange.length > kShown ? `last ${kShown} of ${count(inRange.length)}` : count(inRange.length))}>
      <Loading of={readings} lines={6}>
        {() =>
          shown.length === 0 ? (
            <Empty icon="clock" title="No readings in this span" />
          ) : (
            <div class="readings" tabIndex={0} role="region" aria-label="Readings">
              <table>
                <thead>
                  <tr>
                    <th>Time</th>
                    <th class="num">Sys</th>
                    <th class="num">Dia</th>
                    <th>Level</th>
                    <th>Source</th>
                    <th class="hide">Remark</th>
                  </tr>
                </thead>
                <tbody>
                  {shown.map((r) => (
                    <tr key={r.id} class={counts(r) ? undefined : 'is-out'}>
                      <td>{moment(r.time, now, now - r.time < 3600_000)}</td>
                      <td class="num"><b>{decimal(r.systolic, 0)}</b></td>
                      <td class="num">{decimal(r.diastolic, 0)}</td>
                      <td><Pill bare tone={levelTone(r.level)} title={levelName(r.level)}>{r.level ?? '–'}</Pill>{alerted.has(r.id) && <span class="crit" title="raised an alert"> ●</span>}</td>
                      <td class="soft">{[r.device, r.setting].filter(Boolean).join(', ') || '–'}</td>
                      <td class="hide faint cut">{r.quality.replace(/_/g, ' ')}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loading>
    </Card>
  );
}
