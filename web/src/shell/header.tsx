// Title, search, state of the live connection, theme.
import type {JSX} from 'preact';

import {ago, decimal} from '../lib/format';
import {connection, status} from '../lib/live';
import {useNow} from '../lib/now';
import {useStore} from '../lib/store';
import {theme, toggleTheme} from '../lib/theme';
import {Icon} from '../ui/icons';

function Live(): JSX.Element {
  const {state, since} = useStore(connection);
  const current = useStore(status);
  const now = useNow();
  const text =
    state === 'lost'
      ? `no connection · ${ago(since, now)}`
      : state === 'connecting' || !current
        ? 'connecting'
        : `live · ${decimal(current.readings_per_second, 0)} readings/s`;
  return (
    <div class={`live is-${state}`} title={text}>
      <i aria-hidden="true" />
      <span>{text}</span>
    </div>
  );
}

export function Header({title, onFind}: {title: string; onFind: () => void}): JSX.Element {
  const shown = useStore(theme);
  return (
    <header class="top">
      <h1>{title}</h1>
      <button type="button" class="finder" aria-label="Find a patient, table or page" onClick={onFind}>
        <Icon name="search" />
        <span>Find a patient, table or page</span>
        <kbd>/</kbd>
      </button>
      <Live />
      <button type="button" class="icon-button" aria-label={shown === 'dark' ? 'Light colours' : 'Dark colours'} onClick={toggleTheme}>
        <Icon name={shown === 'dark' ? 'sun' : 'moon'} />
      </button>
    </header>
  );
}
