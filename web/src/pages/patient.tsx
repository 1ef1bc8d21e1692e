// One patient: is what comes unusual for this person?
import type {JSX} from 'preact';
import {useMemo} from 'preact/hooks';

import {gravestFirst, isOn, ruleName} from '../lib/alerts';
import {age, ago, initials} from '../lib/format';
import {alertsOn} from '../lib/live';
import {useLoad} from '../lib/load';
import {fullName} from '../lib/names';
import {useNow} from '../lib/now';
import {link, replace} from '../lib/router';
import {useStore} from '../lib/store';
import {Icon} from '../ui/icons';
import {Pill, Segmented, severityTone} from '../ui/parts';
import {Empty, FaultBox, Skeleton} from '../ui/states';
import {PatientAlerts} from './patient/alerts_card';
import {kRanges, loadPatient, rangeOf, useAlertsOf, useReadings} from './patient/data';
import {Demographics} from './patient/demographics';
import {NowCard} from './patient/now_card';
import {PressureChart} from './patient/pressure_chart';
import {ReadingsTable} from './patient/readings_table';
import {Vitals} from './patient/vitals';

export function PatientPage({id, query}: {id: string; query: URLSearchParams}): JSX.Element {
  const range = rangeOf(query.get('range'));
  const patient = useLoad(`patient ${id}`, (signal) => loadPatient(id, signal), 20);
  const readings = useReadings(id, range);
  const alerts = useAlertsOf(id);
  const on = (useStore(alertsOn) ?? []).filter((a) => a.patient_id === id && isOn(a)).sort(gravestFirst)[0];
  const now = useNow();
  const alerted = useMemo(
    () => new Set((alerts.data ?? []).flatMap((a) => JSON.parse(a.reading_ids ?? '[]') as string[])),
    [alerts.data],
  );
  if (patient.data === null) {
    return (
      <Empty icon="patients" title="No such patient">
        Nobody has the id {id}. <a class="link" href={link('patients')}>All patients</a>
      </Empty>
    );
  }
  if (!patient.data) {
    return patient.fault ? (
      <FaultBox title={patient.fault.title} detail={patient.fault.message} since={patient.faultSince} onAgain={patient.again} />
    ) : (
      <Skeleton lines={10} />
    );
  }
  const p = patient.data;
  const name = fullName(p.given_name, p.family_name) || p.id;
  const years = age(p.birth_date, now);
  const facts = [p.gender, years === null ? null : `${years} years`, [p.city, p.state].filter(Boolean).join(', ')].filter(Boolean).join(' · ');
  return (
    <>
      <div class="phead">
        <a class="button back" href={link('patients')} aria-label="All patients"><Icon name="back" /></a>
        <span class="face" aria-hidden="true">{initials(name)}</span>
        <div>
          <h2>{name}</h2>
          <p>{facts} · <span class="mono">{p.id}</span></p>
        </div>
        {on && (
          <a href={link('alerts', [on.alert_id])}>
            <Pill tone={severityTone(on.severity)}>{on.severity}: {ruleName(on.rule).toLowerCase()}, {ago(on.opened_at, now)}</Pill>
          </a>
        )}
        <Segmented label="Span of time" options={kRanges} value={range} onChange={(value) => replace(link('patients', [id], {range: value}))} />
      </div>
      <div class="grid">
        <PressureChart readings={readings} range={range} alerted={alerted} />
        <NowCard readings={readings.data} patient={p} />
        <div class="c7 stack">
          <PatientAlerts alerts={alerts} name={name} />
          <Vitals id={id} />
        </div>
        <div class="c5 stack">
          <ReadingsTable readings={readings} range={range} alerted={alerted} />
          <Demographics id={id} />
        </div>
      </div>
    </>
  );
}
