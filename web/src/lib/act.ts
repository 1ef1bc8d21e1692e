// What people do with an alert.
import {Fault, send} from './api';
import {takeAlert} from './live';
import type {Alert} from './types';

const kActorKey = 'vitalake.actor';

export function actor(): string {
  return localStorage.getItem(kActorKey) ?? '';
}
export function setActor(name: string): void {
  localStorage.setItem(kActorKey, name);
}

type Outcome = Alert | {request: string; applied: false};

// 'done', or 'recorded' when the process that watches the alert's stream is another one.
async function act(alert: Alert, what: 'acknowledge' | 'snooze', body: object): Promise<'done' | 'recorded'> {
  const outcome = await send<Outcome>(`/alerts/${encodeURIComponent(alert.alert_id)}/${what}`, body);
  if (!('alert_id' in outcome)) return 'recorded';
  takeAlert(outcome);
  return 'done';
}

export function acknowledge(alert: Alert, who: string, reason: string): Promise<'done' | 'recorded'> {
  return act(alert, 'acknowledge', {actor: who, ...(reason ? {reason} : {})});
}

export function snooze(alert: Alert, who: string, reason: string, minutes: number): Promise<'done' | 'recorded'> {
  return act(alert, 'snooze', {actor: who, minutes, ...(reason ? {reason} : {})});
}

export function said(error: unknown): string {
  return error instanceof Fault ? error.message || error.title : String(error);
}
