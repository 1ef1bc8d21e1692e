// The live side of the dashboard: one stream of server-sent events while the page is visible.
//
// Keeps the state of the connection, the last status with its history, and the alerts that are on.
// A browser allows six connections to one host, so a hidden page closes its stream; what it missed
// is asked for when it comes back.
import {get} from './api';
import {withAlert} from './alerts';
import {Store} from './store';
import type {Alert, LiveReading, Status} from './types';

export interface Connection {
  state: 'connecting' | 'live' | 'lost';
  since: number;
}

export interface StatusPoint {
  time: number; // seconds since 1970
  rate: number;
  told: number | null;
  silverAge: number | null;
  on: number;
  quarantined: number;
}

export const kHistorySeconds = 15 * 60;
const kRetryMs = 2000;
const kSilenceMs = 5000; // a status comes every second
const kReadingsShown = 8;
const kReadingsShownMs = 2500;
const kMostArrived = 10_000;

export const connection = new Store<Connection>({state: 'connecting', since: Date.now()});
export const status = new Store<Status | null>(null);
export const history = new Store<StatusPoint[]>([]);
export const alertsOn = new Store<Alert[] | null>(null);
export const lastReadings = new Store<LiveReading[]>([]);

type AlertListener = (alert: Alert) => void;
const alertListeners = new Set<AlertListener>();
export function onAlert(listener: AlertListener): () => void {
  alertListeners.add(listener);
  return () => alertListeners.delete(listener);
}

function become(state: Connection['state']): void {
  if (connection.get().state !== state) connection.set({state, since: Date.now()});
}

function takeStatus(next: Status): void {
  status.set(next);
  const point: StatusPoint = {
    time: Date.parse(next.time) / 1000,
    rate: next.readings_per_second,
    told: next.alerts.told_milliseconds?.p50 ?? null,
    silverAge: next.layers.find((l) => l.layer === 'silver')?.age_seconds ?? null,
    on: next.alerts.on,
    quarantined: next.quarantined,
  };
  const from = point.time - kHistorySeconds;
  history.update((points) => [...points.filter((p) => p.time > from && p.time < point.time), point]);
}

// Shown every few seconds only: nobody reads faster, and names are asked for with them.
let gathered: LiveReading[] = [];
let shownAt = 0;
function takeReading(reading: LiveReading): void {
  gathered = [reading, ...gathered].slice(0, kReadingsShown);
  if (Date.now() - shownAt < kReadingsShownMs) return;
  shownAt = Date.now();
  lastReadings.set(gathered);
}

// Of the stream since it was opened: newer than what is asked for meanwhile.
let arrived: Alert[] = [];

export function takeAlert(alert: Alert): void {
  if (arrived.length < kMostArrived) arrived.push(alert);
  alertsOn.update((alerts) => alerts && withAlert(alerts, alert));
  for (const listener of [...alertListeners]) listener(alert);
}

async function loadAlerts(): Promise<void> {
  const on = await get<Alert[]>('/alerts?state=on&limit=1000');
  alertsOn.set(arrived.reduce(withAlert, on));
  arrived = [];
}

let source: EventSource | null = null;
let watchdog = 0;

function close(): void {
  source?.close();
  source = null;
  clearTimeout(watchdog);
}

function heard(): void {
  become('live');
  clearTimeout(watchdog);
  watchdog = window.setTimeout(() => become('lost'), kSilenceMs);
}

function open(): void {
  close();
  const stream = new EventSource(`/events?readings=${kReadingsShown}`);
  source = stream;
  const on = <T>(kind: string, take: (data: T) => void): void =>
    stream.addEventListener(kind, (event) => {
      heard();
      take(JSON.parse((event as MessageEvent<string>).data) as T);
    });
  on<Status>('status', takeStatus);
  on<Alert>('alert', takeAlert);
  on<LiveReading>('reading', takeReading);
  stream.onopen = () => {
    arrived = [];
    loadAlerts().catch(() => window.setTimeout(() => source === stream && void loadAlerts().catch(() => {}), kRetryMs));
  };
  stream.onerror = () => {
    if (source !== stream) return;
    become('lost');
    // A browser comes back by itself after a break, but not after an answer such as 503.
    if (stream.readyState === EventSource.CLOSED) window.setTimeout(() => source === stream && open(), kRetryMs);
  };
}

export function startLive(): void {
  open();
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) close();
    else if (!source) open();
  });
}
