// Search over patients, tables, open alerts and pages, by keyboard.
import type {JSX} from 'preact';
import {useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks';

import {ruleName, valueText} from '../lib/alerts';
import {get} from '../lib/api';
import {age} from '../lib/format';
import {alertsOn} from '../lib/live';
import {useLoad} from '../lib/load';
import {fullName, useNames} from '../lib/names';
import {findPatients, type FoundPatient} from '../lib/patients';
import {go, link} from '../lib/router';
import {useStore} from '../lib/store';
import type {TableEntry} from '../lib/types';
import {Icon} from '../ui/icons';
import {kPages} from './nav';

interface Hit {
  group: string;
  icon: string;
  text: string;
  note: string;
  to: string;
}

const kMostOfAGroup = 6;

function patientHit(p: FoundPatient): Hit {
  const years = age(p.birth_date, Date.now());
  const note = [p.gender, years === null ? null : `${years} years`, p.city].filter(Boolean).join(' · ');
  return {group: 'Patients', icon: 'patients', text: fullName(p.given_name, p.family_name) || p.id, note, to: link('patients', [p.id])};
}

function useHits(text: string): Hit[] {
  const words = text.trim().toLowerCase();
  const patients = useLoad(`palette patients ${words}`, (signal) => findPatients(words, kMostOfAGroup, signal));
  const tables = useLoad('tables', (signal) => get<{tables: TableEntry[]}>('/tables', signal));
  const alerts = useStore(alertsOn) ?? [];
  const name = useNames(alerts.slice(0, 100).map((a) => a.patient_id));
  const has = (hit: Hit): boolean => `${hit.text} ${hit.note}`.toLowerCase().includes(words);
  const pages = kPages.map((p): Hit => ({group: 'Pages', icon: p.page, text: p.title, note: `g ${p.key}`, to: link(p.page)}));
  const tableHits = (tables.data?.tables ?? []).map(
    (t): Hit => ({group: 'Tables', icon: 'table', text: t.name, note: t.kind === 'view' ? 'view' : '', to: link('data', ['tables', t.name])}),
  );
  const alertHits = alerts.slice(0, 100).map(
    (a): Hit => ({group: 'Open alerts', icon: 'alerts', text: name(a.patient_id), note: `${ruleName(a.rule)} · ${valueText(a)}`, to: link('alerts', [a.alert_id])}),
  );
  const most = (hits: Hit[]): Hit[] => hits.filter(has).slice(0, kMostOfAGroup);
  if (!words) return [...pages, ...alertHits.slice(0, 4)];
  return [...(patients.data ?? []).map(patientHit), ...most(alertHits), ...most(tableHits), ...most(pages)];
}

export function Palette({onClose}: {onClose: () => void}): JSX.Element {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const hits = useHits(text);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const chosen = Math.min(at, hits.length - 1);

  // Before anything is painted: what is typed meanwhile is not to be lost.
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    input.current?.focus();
    return () => before?.focus?.();
  }, []);
  useEffect(() => list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({block: 'nearest'}), [chosen]);

  const open = (hit: Hit | undefined): void => {
    if (!hit) return;
    onClose();
    go(hit.to);
  };
  const onKey = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step) setAt((chosen + step + hits.length) % Math.max(hits.length, 1));
    else if (event.key === 'Enter') open(hits[chosen]);
    else if (event.key === 'Escape') onClose();
    else if (event.key !== 'Tab') return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="veil" onClick={(event) => event.target === event.currentTarget && onClose()}>
      <div class="palette" role="dialog" aria-modal="true" aria-label="Find">
        <div class="entry">
          <Icon name="search" />
          <input
            ref={input}
            role="combobox"
            aria-expanded="true"
            aria-controls="palette-hits"
            aria-activedescendant={hits.length ? `hit-${chosen}` : undefined}
            aria-label="Find a patient, table or page"
            placeholder="Find a patient, table or page"
            value={text}
            onInput={(event) => {
              setText(event.currentTarget.value);
              setAt(0);
            }}
            onKeyDown={onKey}
          />
          <kbd>esc</kbd>
        </div>
        <ul id="palette-hits" role="listbox" aria-label="Found" ref={list}>
          {hits.map((hit, i) => (
            <>
              {hit.group !== hits[i - 1]?.group && <li class="group" role="presentation">{hit.group}</li>}
              <li key={hit.to} id={`hit-${i}`} role="option" aria-selected={i === chosen} onMouseMove={() => setAt(i)} onClick={() => open(hit)}>
                <Icon name={hit.icon} />
                <span class="cut">{hit.text}</span>
                <span class="note">{hit.note}</span>
              </li>
            </>
          ))}
          {!hits.length && <li class="group" role="presentation">Nothing found</li>}
        </ul>
        <div class="hint">
          <span><kbd>↑</kbd> <kbd>↓</kbd> choose</span>
          <span><kbd>↵</kbd> open</span>
        </div>
      </div>
    </div>
  );
}
