// The frame around every page: navigation, header, search, keyboard.
import type {JSX} from 'preact';
import {useEffect, useState} from 'preact/hooks';

import {ruleName, valueText} from '../lib/alerts';
import {locked} from '../lib/api';
import {connection, onAlert} from '../lib/live';
import {go, link, parsePlace, usePlace, type Place} from '../lib/router';
import {useStore} from '../lib/store';
import {AlertsPage} from '../pages/alerts';
import {DataPage} from '../pages/data';
import {OverviewPage} from '../pages/overview';
import {PatientPage} from '../pages/patient';
import {PatientsPage} from '../pages/patients';
import {SqlPage} from '../pages/sql';
import {Dialog} from '../ui/dialog';
import {Empty, FaultBox} from '../ui/states';
import {Header} from './header';
import {Login} from './login';
import {kPages, Nav} from './nav';
import {Palette} from './palette';
import {tell, Toasts} from './toasts';

const kKeys: Array<[string, string]> = [
  ['/', 'find a patient, table or page'],
  ...kPages.map((p): [string, string] => [`g ${p.key}`, p.title]),
  ['j k', 'next, previous alert'],
  ['e', 'acknowledge the chosen alert'],
  ['Ctrl ↵', 'run the SQL statement'],
  ['?', 'these keys'],
];

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.matches('input,textarea,select') || target.isContentEditable);
}

function useShortcuts(onFind: () => void, onHelp: () => void): void {
  useEffect(() => {
    let afterG = 0;
    const onKey = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key === 'k') onFind();
      else if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector('dialog[open]')) return;
      else if (event.key === '/') onFind();
      else if (event.key === '?') onHelp();
      else if (event.key === 'g') {
        afterG = Date.now();
        return;
      } else {
        const page = Date.now() - afterG < 1500 ? kPages.find((p) => p.key === event.key) : undefined;
        afterG = 0;
        if (!page) return;
        go(link(page.page));
      }
      event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

function useAlertToasts(): void {
  useEffect(
    () =>
      onAlert((alert) => {
        const shown = parsePlace(location.hash).page; // these show it themselves
        if (shown === 'overview' || shown === 'alerts') return;
        if (alert.change !== 'opened' || alert.severity !== 'critical' || !alert.notify) return;
        tell(
          'crit',
          <a href={link('alerts', [alert.alert_id])}>
            <b>{ruleName(alert.rule)}: {valueText(alert, true)}</b>
            <div class="soft">{alert.explanation}</div>
          </a>,
        );
      }),
    [],
  );
}

function Page({place}: {place: Place}): JSX.Element {
  switch (place.page) {
    case 'overview': return <OverviewPage />;
    case 'patients': return place.rest[0] ? <PatientPage id={place.rest[0]} query={place.query} /> : <PatientsPage query={place.query} />;
    case 'alerts': return <AlertsPage chosen={place.rest[0] ?? null} query={place.query} />;
    case 'data': return <DataPage section={place.rest[0] ?? 'tables'} item={place.rest[1] ?? null} query={place.query} />;
    case 'sql': return <SqlPage query={place.query} />;
    default: return <Empty title="No such page">The address names no page of the dashboard.</Empty>;
  }
}

function Lost(): JSX.Element | null {
  const {state, since} = useStore(connection);
  if (state !== 'lost') return null;
  return (
    <FaultBox
      title="The service does not answer"
      detail="What is shown is what was known last. The connection is tried again by itself; `vitalake run` or `vitalake demo` must be running."
      since={since}
    />
  );
}

export function App(): JSX.Element {
  const place = usePlace();
  const [finding, setFinding] = useState(false);
  const [helping, setHelping] = useState(false);
  useShortcuts(() => setFinding(true), () => setHelping(true));
  useAlertToasts();
  const title = kPages.find((p) => p.page === place.page)?.title ?? 'Vitalake';
  useEffect(() => {
    document.title = title === 'Vitalake' ? title : `${title} · Vitalake`;
  }, [title]);
  if (useStore(locked)) return <Login />;
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById('main')?.focus();
      }}>
        Skip to content
      </a>
      <Nav page={place.page} />
      <div class="content">
        <Header title={title} onFind={() => setFinding(true)} />
        <main id="main" tabIndex={-1}>
          <Lost />
          <Page place={place} />
        </main>
      </div>
      {finding && <Palette onClose={() => setFinding(false)} />}
      {helping && (
        <Dialog title="Keys" onClose={() => setHelping(false)}>
          <dl class="keys">
            {kKeys.map(([key, what]) => (
              <>
                <dt><kbd>{key}</kbd></dt>
                <dd>{what}</dd>
              </>
            ))}
          </dl>
        </Dialog>
      )}
      <Toasts />
    </div>
  );
}
