// The last readings as they come, a few of each second.
import type {JSX} from 'preact';

import {vitalName} from '../../lib/alerts';
import {clock, decimal} from '../../lib/format';
import {lastReadings} from '../../lib/live';
import {useNames} from '../../lib/names';
import {levelTone} from '../../lib/pressure';
import {link} from '../../lib/router';
import {useStore} from '../../lib/store';
import {Card, Pill} from '../../ui/parts';
import {Empty} from '../../ui/states';

const kShown = 5;

export function Ticker(): JSX.Element {
  const readings = useStore(lastReadings).slice(0, kShown);
  const name = useNames(readings.map((r) => r.patient_id));
  return (
    <Card title="Just in" aside="a sample of what comes">
      {readings.length ? (
        <ul class="ticker">
          {readings.map((r) => (
            <li key={`${r.id} ${r.vital} ${r.received}`}>
              <span class="faint">{clock(r.received, true)}</span>
              <a class="rowlink cut" href={link('patients', [r.patient_id])}>{name(r.patient_id)}</a>
              <span class="nowrap" title={vitalName(r.vital)}>
                {r.diastolic !== null ? <>{decimal(r.value, 0)}<span class="faint"> / {decimal(r.diastolic, 0)}</span></> : decimal(r.value)}
              </span>
              <span class="num">{r.level && <Pill bare tone={levelTone(r.level)}>{r.level}</Pill>}</span>
            </li>
          ))}
        </ul>
      ) : (
        <Empty icon="clock" title="Waiting for readings" />
      )}
    </Card>
  );
}
