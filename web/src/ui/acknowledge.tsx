// The button that acknowledges an alert. The first time it asks who does.
import type {JSX} from 'preact';
import {useState} from 'preact/hooks';

import {acknowledge, actor, said, setActor} from '../lib/act';
import {isOn} from '../lib/alerts';
import {moment} from '../lib/format';
import type {Alert} from '../lib/types';
import {tell} from '../shell/toasts';
import {Dialog} from './dialog';
import {Icon} from './icons';

export function AcknowledgeButton({alert, who}: {alert: Alert; who: string}): JSX.Element | null {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  if (alert.acknowledged_at) {
    return (
      <span class="ok small nowrap acked" title={`${alert.acknowledged_by ?? ''}, ${moment(alert.acknowledged_at)}`}>
        <Icon name="check" /> {alert.acknowledged_by ?? 'acknowledged'}
      </span>
    );
  }
  if (!isOn(alert)) return null;
  const run = async (name: string): Promise<void> => {
    setBusy(true);
    try {
      const outcome = await acknowledge(alert, name, '');
      tell('ok', outcome === 'done' ? `Acknowledged for ${who}.` : `Recorded for ${who}; it takes effect where the stream is watched.`);
    } catch (error) {
      tell('crit', <><b>Not acknowledged.</b> {said(error)}</>);
    }
    setBusy(false);
  };
  return (
    <>
      <button
        type="button"
        class="button"
        disabled={busy}
        aria-label={`Acknowledge the alert of ${who}`}
        onClick={(event) => {
          event.stopPropagation();
          if (actor()) void run(actor());
          else setAsking(true);
        }}
      >
        Acknowledge
      </button>
      {asking && (
        <ActorDialog
          onClose={() => setAsking(false)}
          onName={(name) => {
            setAsking(false);
            void run(name);
          }}
        />
      )}
    </>
  );
}

export function ActorDialog({onClose, onName}: {onClose: () => void; onName: (name: string) => void}): JSX.Element {
  return (
    <Dialog title="Who acknowledges?" onClose={onClose}>
      <form
        class="actor"
        onSubmit={(event) => {
          event.preventDefault();
          const name = String(new FormData(event.currentTarget).get('actor') ?? '').trim();
          if (!name) return;
          setActor(name);
          onName(name);
        }}
      >
        <label for="actor">Your name or role, as it is to stand in the record of actions</label>
        <input id="actor" name="actor" class="field" required maxLength={100} autocomplete="name" placeholder="night shift" />
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button is-main">
            Acknowledge
          </button>
        </div>
      </form>
    </Dialog>
  );
}
