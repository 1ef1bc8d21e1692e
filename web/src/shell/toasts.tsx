// Short notices in the corner: what was done, and grave alerts as they come.
import type {ComponentChildren, JSX} from 'preact';

import {Store, useStore} from '../lib/store';

interface Toast {
  id: number;
  tone: 'ok' | 'crit';
  content: ComponentChildren;
}

const toasts = new Store<Toast[]>([]);
let last = 0;
const kShownMs = 8000;
const kMost = 3;

export function tell(tone: Toast['tone'], content: ComponentChildren): void {
  const id = ++last;
  toasts.update((all) => [...all, {id, tone, content}].slice(-kMost));
  window.setTimeout(() => drop(id), kShownMs);
}

function drop(id: number): void {
  toasts.update((all) => all.filter((t) => t.id !== id));
}

export function Toasts(): JSX.Element {
  const shown = useStore(toasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map((toast) => (
        <div key={toast.id} class={`toast is-${toast.tone}`}>
          <div>{toast.content}</div>
          <button type="button" aria-label="Dismiss" onClick={() => drop(toast.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
