// All about one alert: why, what happened since, what can be done.
import type {JSX} from 'preact';
import {useState} from 'preact/hooks';

import {acknowledge, actor, said, setActor, snooze} from '../../lib/act';
import {isOn, ruleName, valueText, vitalName, vitalUnit} from '../../lib/alerts';
import {rows} from '../../lib/api';
import {decimal, moment, utc} from '../../lib/format';
import {useLoad} from '../../lib/load';
import {useNames} from '../../lib/names';
import {useNow} from '../../lib/now';
import {link} from '../../lib/router';
import type {Alert} from '../../lib/types';
import {tell} from '../../shell/toasts';
import {Icon} from '../../ui/icons';
import {SeverityPill} from '../../ui/parts';
import {Empty, FaultBox, Skeleton} from '../../ui/states';

interface Step extends Alert {
  window: string | null;
}

const kSnoozes = [
  {minutes: 30, label: '30 min'},
  {minutes: 120, label: '2 h'},
  {minutes: 480, label: '8 h'},
];

function duration(iso: string | null): string {
  return (iso ?? '').replace(/^P/, '').replace('T', '').replace(/(\d+)D/, '$1 d ').replace(/(\d+)H/, '$1 h ').replace(/(\d+)M/, '$1 min ').replace(/(\d+)S/, '$1 s').trim();
}

function facts(a: Alert): Array<[string, string | null]> {
  const unit = vitalUnit(a.vital);
  const z = a.value !== null && a.baseline !== null && a.baseline_sigma ? (a.value - a.baseline) / a.baseline_sigma : null;
  return [
    ['Own baseline', a.baseline === null ? null : `${decimal(a.baseline, 0)}${a.baseline_sigma ? ` ± ${decimal(a.baseline_sigma, 0)}` : ''} ${unit}`],
    ['Distance', z === null ? null : `${decimal(z)} standard deviations`],
    ['Baseline from', a.baseline_readings === null ? null : `${a.baseline_readings} readings`],
    ['Window', duration(a.window) || null],
    ['Late by', duration(a.late_by) || null],
    ['Rule', a.rule],
    ['Version', a.rule_version],
    ['Opened', `${moment(a.opened_at, Date.now(), true)}`],
    ['Closed', a.closed_at && moment(a.closed_at, Date.now(), true)],
    ['Acknowledged', a.acknowledged_at && `${a.acknowledged_by}, ${moment(a.acknowledged_at)}`],
    ['Snoozed until', a.snoozed_until && moment(a.snoozed_until)],
    ['Position', a.source_partition && `${a.source_partition}, ${a.source_offset}`],
  ];
}

function stepText(step: Step, before: Step | undefined): string {
  if (step.change === 'opened') return step.state === 'pending' ? 'opened, to be repeated' : 'opened';
  if (step.change === 'closed' || step.change === 'withdrawn') return step.change;
  if (step.acknowledged_at && !before?.acknowledged_at) return `acknowledged by ${step.acknowledged_by}`;
  if (step.snoozed_until && step.snoozed_until !== before?.snoozed_until) return `snoozed until ${moment(step.snoozed_until)}`;
  if (before && step.severity !== before.severity) return `now ${step.severity}`;
  if (before && step.state !== before.state) return `now ${step.state}`;
  return 'another reading';
}

function Timeline({steps}: {steps: Step[]}): JSX.Element {
  return (
    <ol class="steps">
      {steps.map((step, i) => (
        <li key={`${step.source_partition} ${step.sequence}`} class={`is-${step.change}`}>
          <span class="faint" title={utc(step.updated_at)}>{moment(step.updated_at, Date.now(), true)}</span>
          <b>{stepText(step, steps[i - 1])}</b>
          <span class="soft num">{valueText(step)}</span>
        </li>
      ))}
    </ol>
  );
}

function Actions({alert, who}: {alert: Alert; who: string}): JSX.Element {
  const [name, setName] = useState(actor());
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const run = async (what: string, work: () => Promise<'done' | 'recorded'>): Promise<void> => {
    if (!name.trim()) {
      document.getElementById('act-actor')?.focus();
      return;
    }
    setActor(name.trim());
    setBusy(true);
    try {
      const outcome = await work();
      tell('ok', outcome === 'done' ? `${what} for ${who}.` : `Recorded for ${who}; it takes effect where the stream is watched.`);
      setReason('');
    } catch (error) {
      tell('crit', <><b>That was not taken.</b> {said(error)}</>);
    }
    setBusy(false);
  };
  return (
    <form class="act" onSubmit={(event) => {
      event.preventDefault();
      void run('Acknowledged', () => acknowledge(alert, name.trim(), reason.trim()));
    }}>
      <div class="pair">
        <label><span class="sr">Your name or role</span><input id="act-actor" class="field" placeholder="Your name or role" value={name} maxLength={100} onInput={(e) => setName(e.currentTarget.value)} /></label>
        <label><span class="sr">Reason</span><input class="field" placeholder="Reason (optional)" value={reason} maxLength={300} onInput={(e) => setReason(e.currentTarget.value)} /></label>
      </div>
      <div class="buttons">
        <button type="submit" class="button is-main" disabled={busy || Boolean(alert.acknowledged_at)}>
          <Icon name="check" />{alert.acknowledged_at ? 'Acknowledged' : 'Acknowledge'}
        </button>
        <span class="faint push">Snooze</span>
        {kSnoozes.map((s) => (
          <button key={s.minutes} type="button" class="button" disabled={busy} onClick={() => void run(`Snoozed ${s.label}`, () => snooze(alert, name.trim(), reason.trim(), s.minutes))}>{s.label}</button>
        ))}
      </div>
    </form>
  );
}

export function AlertDetail({id, listed, onClose}: {id: string | null; listed: Alert | undefined; onClose: () => void}): JSX.Element {
  const now = useNow();
  const steps = useLoad(
    `alert steps ${id ?? ''} ${listed?.sequence ?? ''}`,
    (signal) => (id ? rows<Step>('SELECT * FROM ops.alert WHERE alert_id = $1 ORDER BY updated_at, sequence', [id], signal) : Promise.resolve([])),
    5,
  );
  const alert = listed ?? steps.data?.at(-1);
  const who = useNames([alert?.patient_id ?? null])(alert?.patient_id ?? null);
  if (!id) {
    return (
      <aside class="card detail is-empty" aria-label="The chosen alert">
        <Empty icon="alerts" title="No alert chosen">Choose one to see why it was raised and what happened since.</Empty>
      </aside>
    );
  }
  if (!alert) {
    return (
      <aside class="card detail" aria-label="The chosen alert">
        {steps.fault ? <FaultBox title={steps.fault.title} detail={steps.fault.message} onAgain={steps.again} /> : steps.data ? <Empty title="No such alert" /> : <Skeleton lines={8} />}
      </aside>
    );
  }
  return (
    <aside class="card detail" aria-label="The chosen alert">
      <div class="detail-head">
        <SeverityPill alert={alert} />
        <span class="faint">{alert.state}</span>
        <button type="button" class="button is-quiet" aria-label="Close" onClick={onClose}><Icon name="close" /></button>
      </div>
      <h2>{ruleName(alert.rule)}</h2>
      <p>{alert.patient_id ? <a class="link" href={link('patients', [alert.patient_id])}>{who}</a> : who}<span class="faint"> · {vitalName(alert.vital)}</span></p>
      <div class="now-value">{valueText(alert)} <small>{vitalUnit(alert.vital)}</small></div>
      <p class="why-text">{alert.explanation}</p>
      {isOn(alert) && <Actions key={alert.alert_id} alert={alert} who={who} />}
      <div class="part">
        <h3>Timeline</h3>
        {steps.data?.length ? <Timeline steps={steps.data} /> : <p class="faint">{now - Date.parse(alert.updated_at) < 10_000 ? 'Not in the table yet: it is written with the readings.' : 'No step is recorded.'}</p>}
      </div>
      <div class="part">
        <h3>Why and how</h3>
        <dl class="kv">
          {facts(alert).filter(([, value]) => value).map(([name, value]) => (
            <>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </>
          ))}
        </dl>
      </div>
    </aside>
  );
}
