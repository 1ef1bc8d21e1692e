// What stands in place of the dashboard until the server knows who asks.
import type {JSX} from 'preact';
import {useState} from 'preact/hooks';

import {said} from '../lib/act';
import {logIn} from '../lib/api';

export function Login(): JSX.Element {
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const run = async (token: string): Promise<void> => {
    setBusy(true);
    try {
      await logIn(token);
      location.reload();
    } catch (error) {
      setFault(said(error));
      setBusy(false);
    }
  };
  return (
    <main id="main" class="login">
      <form
        class="card actor"
        onSubmit={(event) => {
          event.preventDefault();
          void run(String(new FormData(event.currentTarget).get('token') ?? '').trim());
        }}
      >
        <h1>Vitalake</h1>
        <label for="token">Your token, as the operator of this server gave it to you</label>
        <input id="token" name="token" class="field" type="password" required autofocus autocomplete="current-password" />
        {fault && <p class="crit" role="alert">{fault}</p>}
        <div class="actions">
          <button type="submit" class="button is-main" disabled={busy}>
            Log in
          </button>
        </div>
      </form>
    </main>
  );
}
