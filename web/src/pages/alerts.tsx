// Alerts as they stand and as they come: a list, and all about the chosen one.
import type {JSX} from 'preact';
import {useEffect, useMemo} from 'preact/hooks';

import {gravestFirst, isOn, kSeverities, newestFirst, ruleName, valueText, vitalName} from '../lib/alerts';
import {get} from '../lib/api';
import {ago, moment, plural} from '../lib/format';
import {alertsOn, onAlert} from '../lib/live';
import {useLoad} from '../lib/load';
import {useNames} from '../lib/names';
import {useNow} from '../lib/now';
import {link, replace} from '../lib/router';
import {useStore} from '../lib/store';
import type {Alert, Severity} from '../lib/types';
import {AcknowledgeButton} from '../ui/acknowledge';
import {Segmented, SeverityPill} from '../ui/parts';
import {Empty, Loading, Skeleton} from '../ui/states';
import {AlertDetail} from './alerts/detail';
import {AlertTimes} from './alerts/times';

type Which = 'on' | 'new' | 'off';
const kWhich = [
  {value: 'on', label: 'Open'},
  {value: 'new', label: 'Not acknowledged'},
  {value: 'off', label: 'Closed'},
] as const;
const kMost = 200;
const kReloadMs = 3000;

function useClosed(wanted: boolean): ReturnType<typeof useLoad<Alert[]>> {
  const closed = useLoad(`alerts closed ${wanted}`, (signal) =>
    wanted ? get<Alert[]>(`/alerts?state=closed,withdrawn&limit=${kMost}`, signal) : Promise.resolve([]),
  );
  useEffect(() => {
    let timer = 0;
    const off = onAlert((alert) => {
      if (wanted && !isOn(alert) && !timer) {
        timer = window.setTimeout(() => {
          timer = 0;
          closed.again();
        }, kReloadMs);
      }
    });
    return () => {
      off();
      clearTimeout(timer);
    };
  }, [wanted]);
  return closed;
}

// j and k choose the next and the one before; e acknowledges.
function useKeys(ids: string[], chosen: string | null, open: (id: string) => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || target.matches('input,textarea,select') || document.querySelector('dialog[open]')) return;
      const at = chosen ? ids.indexOf(chosen) : -1;
      const step = event.key === 'j' ? 1 : event.key === 'k' ? -1 : 0;
      if (step && ids.length) {
        open(ids[Math.max(0, Math.min(ids.length - 1, at + step))]!);
        document.querySelector('tr[aria-current]')?.scrollIntoView({block: 'nearest'});
      } else if (event.key === 'e') document.querySelector<HTMLElement>('tr[aria-current] button')?.click();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [ids.join(' '), chosen]);
}

function Row({alert, name, chosen, now, onOpen}: {
  alert: Alert;
  name: string;
  chosen: boolean;
  now: number;
  onOpen: () => void;
}): JSX.Element {
  const fresh = now - Date.parse(alert.updated_at) < 3000;
  return (
    <tr class={fresh ? 'is-link flash' : 'is-link'} aria-current={chosen ? 'true' : undefined} onClick={(event) => !(event.target as Element).closest('a,button') && onOpen()}>
      <td><SeverityPill alert={alert} /></td>
      <td>
        <a class="rowlink" href={link('alerts', [alert.alert_id])}>{name}</a>
        <div class="sub">{vitalName(alert.vital)} · {ruleName(alert.rule)}{alert.state === 'pending' || alert.state === 'unconfirmed' ? ` · ${alert.state}` : ''}</div>
      </td>
      <td class="num"><b>{valueText(alert)}</b></td>
      <td class="num soft" title={moment(alert.opened_at, now, true)}>{ago(alert.opened_at, now)}</td>
      <td class="num"><AcknowledgeButton alert={alert} who={name} /></td>
    </tr>
  );
}

export function AlertsPage({chosen, query}: {chosen: string | null; query: URLSearchParams}): JSX.Element {
  const which = (kWhich.find((w) => w.value === query.get('show'))?.value ?? 'on') as Which;
  const severity = (query.get('severity') ?? '') as Severity | '';
  const on = useStore(alertsOn);
  const closed = useClosed(which === 'off');
  const now = useNow();
  const to = (id: string | null, more: Record<string, string> = {}): string =>
    link('alerts', id ? [id] : [], {show: which === 'on' ? '' : which, severity, ...more});
  const shown = useMemo(() => {
    const of = which === 'off' ? [...(closed.data ?? [])].sort(newestFirst) : [...(on ?? [])].sort(gravestFirst);
    return of.filter((a) => (!severity || a.severity === severity) && (which !== 'new' || !a.acknowledged_at)).slice(0, kMost);
  }, [which, severity, on, closed.data]);
  const name = useNames(shown.map((a) => a.patient_id));
  useKeys(shown.map((a) => a.alert_id), chosen, (id) => replace(to(id)));
  const list = !shown.length ? (
    <Empty icon="check" title={which === 'off' ? 'No closed alert' : severity ? `No ${severity} alert` : 'No open alert'}>
      {which === 'off' ? 'Alerts come here once a reading shows that they are over.' : 'Readings are judged as they come; what is found appears here at once.'}
    </Empty>
  ) : (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Severity</th>
            <th>Patient</th>
            <th class="num">Reading</th>
            <th class="num">Since</th>
            <th><span class="sr">Action</span></th>
          </tr>
        </thead>
        <tbody>
          {shown.map((a) => (
            <Row key={a.alert_id} alert={a} name={name(a.patient_id)} chosen={a.alert_id === chosen} now={now} onOpen={() => replace(to(a.alert_id))} />
          ))}
        </tbody>
      </table>
    </div>
  );
  return (
    <>
      <AlertTimes />
      <div class="bar-row">
        <Segmented label="Which alerts" options={kWhich} value={which} onChange={(value) => replace(link('alerts', [], {show: value === 'on' ? '' : value, severity}))} />
        <label>
          <span class="sr">Severity</span>
          <select class="field" value={severity} onChange={(event) => replace(to(null, {severity: event.currentTarget.value}))}>
            <option value="">Every severity</option>
            {kSeverities.map((s) => <option key={s} value={s}>{s}</option>)}
          </select>
        </label>
        <span class="push faint hide"><kbd>j</kbd> <kbd>k</kbd> choose · <kbd>e</kbd> acknowledge</span>
        <span class="faint" aria-live="polite">{plural(shown.length, 'alert')}</span>
      </div>
      <div class={chosen ? 'split has-choice' : 'split'}>
        <section class="card flush list alerts" aria-label="Alerts">
          {which === 'off' ? <Loading of={closed}>{() => list}</Loading> : on === null ? <Skeleton lines={9} /> : list}
        </section>
        <AlertDetail id={chosen} listed={shown.find((a) => a.alert_id === chosen)} onClose={() => replace(to(null))} />
      </div>
    </>
  );
}
