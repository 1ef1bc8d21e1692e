// The pages, at the side or (on a phone) at the bottom.
import type {JSX} from 'preact';

import {uptime} from '../lib/format';
import {alertsOn, status} from '../lib/live';
import {link} from '../lib/router';
import {useStore} from '../lib/store';
import {Icon} from '../ui/icons';

export const kPages = [
  {page: 'overview', title: 'Overview', key: 'o'},
  {page: 'patients', title: 'Patients', key: 'p'},
  {page: 'alerts', title: 'Alerts', key: 'a'},
  {page: 'data', title: 'Data', key: 'd'},
  {page: 'sql', title: 'SQL', key: 's'},
] as const;

function AlertTally(): JSX.Element | null {
  const alerts = useStore(alertsOn);
  if (!alerts?.length) return null;
  const critical = alerts.some((a) => a.severity === 'critical' && !a.acknowledged_at);
  return (
    <span class={critical ? 'tally is-crit' : 'tally'}>
      {alerts.length}
      <span class="sr"> open</span>
    </span>
  );
}

export function Nav({page}: {page: string}): JSX.Element {
  const now = useStore(status);
  return (
    <nav class="nav" aria-label="Pages">
      <a class="brand" href={link('overview')}>
        <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.1" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
          <path d="M2 13h4l2.5-7 4 13 3-9 1.5 3h5" />
        </svg>
        Vitalake
      </a>
      <ul>
        {kPages.map((entry) => (
          <li key={entry.page}>
            <a href={link(entry.page)} aria-current={entry.page === page ? 'page' : undefined}>
              <Icon name={entry.page} />
              {entry.title}
              {entry.page === 'alerts' && <AlertTally />}
            </a>
          </li>
        ))}
      </ul>
      <div class="foot">
        {now ? (
          <>
            {now.streams.length ? now.streams.map((s) => s.stream).join(', ') : 'no stream'}
            <br />
            up {uptime(now.uptime_seconds)}
          </>
        ) : (
          <br />
        )}
      </div>
    </nav>
  );
}
