import type {JSX} from 'preact';

import {categoryOf} from '../../lib/categories';
import {ago, count, decimal} from '../../lib/format';
import {useNow} from '../../lib/now';
import {counts, isNight, levelName, levelTone, medianPair, ownBaseline, type Pair, type Reading} from '../../lib/pressure';
import {Card, Pill} from '../../ui/parts';
import {Empty, Skeleton} from '../../ui/states';
import type {Patient} from './data';
import {News2} from './news2';

const kDayMs = 24 * 3600_000;

function pairText(pair: Pair): string {
  return pair.systolic === null ? '–' : `${decimal(pair.systolic, 0)} / ${decimal(pair.diastolic, 0)}`;
}

function Numbers({readings, patient, now}: {readings: Reading[]; patient: Patient; now: number}): JSX.Element {
  const of = (ms: number): Pair => medianPair(readings.filter((r) => r.time > now - ms));
  const recent = readings.filter((r) => r.time > now - 14 * kDayMs);
  const day = medianPair(recent.filter((r) => !isNight(r))), night = medianPair(recent.filter(isNight));
  const fall = day.systolic && night.systolic ? Math.round((night.systolic / day.systolic - 1) * 100) : null;
  const baseline = ownBaseline(readings);
  const category = categoryOf(patient.category);
  return (
    <dl class="kv">
      <dt>Own baseline</dt>
      <dd title={baseline ? `mean ± standard deviation of the ${baseline.readings} readings before` : 'from 12 readings on'}>
        {baseline ? `${decimal(baseline.mean, 0)} ± ${decimal(baseline.spread, 0)}` : '–'}
      </dd>
      <dt>Median 24 h</dt>
      <dd>{pairText(of(kDayMs))}</dd>
      <dt>Median 14 d</dt>
      <dd>{pairText(of(14 * kDayMs))}</dd>
      <dt>Day / night</dt>
      <dd>{decimal(day.systolic, 0)} / {decimal(night.systolic, 0)}{fall !== null && <span class="faint"> {fall > 0 ? '+' : fall < 0 ? '−' : '±'}{Math.abs(fall)} %</span>}</dd>
      <dt>Category</dt>
      <dd><Pill bare tone={category.pill} title={patient.category}>{category.label}</Pill></dd>
      <dt>Readings</dt>
      <dd>{count(patient.readings)}{patient.readings_excluded > 0 && <span class="faint"> + {count(patient.readings_excluded)} not counted</span>}</dd>
    </dl>
  );
}

export function NowCard({readings, patient}: {readings: Reading[] | undefined; patient: Patient}): JSX.Element {
  const now = useNow();
  const last = readings?.filter(counts).at(-1);
  return (
    <Card span={3} title="Now" aside={last && ago(last.time, now)}>
      {!readings ? (
        <Skeleton lines={7} />
      ) : !last ? (
        <Empty icon="clock" title="No usable reading" />
      ) : (
        <>
          <div class="now-value">{decimal(last.systolic, 0)}<small> / {decimal(last.diastolic, 0)}</small></div>
          <p class="now-note">
            <Pill tone={levelTone(last.level)}>{levelName(last.level)}</Pill>
            <span class="faint">{[last.device, last.setting].filter(Boolean).join(', ')}</span>
          </p>
          <Numbers readings={readings} patient={patient} now={now} />
        </>
      )}
      <News2 id={patient.id} now={now} />
    </Card>
  );
}
