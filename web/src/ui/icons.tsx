// Line icons on a grid of 16.
import type {JSX} from 'preact';

const kPaths: Record<string, string> = {
  overview: 'M2 9.5 6 5l3 3 5-5.5M2 14h12',
  patients: 'M8 8a2.7 2.7 0 1 0 0-5.4A2.7 2.7 0 0 0 8 8ZM2.8 14c.6-3 2.6-4.3 5.2-4.3s4.6 1.3 5.2 4.3',
  alerts: 'M8 2a4 4 0 0 0-4 4c0 4-1.5 5-1.5 5h11S12 10 12 6a4 4 0 0 0-4-4ZM6.6 13.6h2.8',
  data: 'M2.5 4c0-1.1 2.5-2 5.5-2s5.5.9 5.5 2-2.5 2-5.5 2-5.5-.9-5.5-2Zm0 0v8c0 1.1 2.5 2 5.5 2s5.5-.9 5.5-2V4m-11 4c0 1.1 2.5 2 5.5 2s5.5-.9 5.5-2',
  sql: 'm3 4.5 3.5 3.5L3 11.5M8.5 12H13.5',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3 14 14',
  sun: 'M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM8 1.5v1.3m0 10.4v1.3M1.5 8h1.3m10.4 0h1.3M3.4 3.4l.9.9m7.4 7.4.9.9m0-9.2-.9.9M4.3 11.7l-.9.9',
  moon: 'M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1Z',
  check: 'm3 8.5 3.2 3.2L13 5',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.8V8l2.2 1.6',
  warning: 'M8 2.2 14.2 13H1.8L8 2.2ZM8 6.5v3M8 11.3v.1',
  download: 'M8 2.5v7.5m0 0L5 7m3 3 3-3M2.8 13.3h10.4',
  play: 'M4.5 3v10l8-5-8-5Z',
  stop: 'M4 4h8v8H4z',
  replay: 'M13 8a5 5 0 1 1-1.6-3.7M13 2v2.8h-2.8',
  back: 'M10 3 5 8l5 5',
  forward: 'm6 3 5 5-5 5',
  table: 'M2.5 3h11v10h-11zM2.5 6.5h11M6.5 6.5V13',
  chart: 'M2.5 2.5v11h11M5.5 10.5v-3m3 3v-6m3 6V8',
  close: 'm4 4 8 8m0-8-8 8',
  inbox: 'M2 9.5 4 3h8l2 6.5V13H2V9.5Zm0 0h3.6l1 1.7h2.8l1-1.7H14',
  snooze: 'M5.5 5.5h5l-5 5.5h5',
  up: 'm4 10 4-4 4 4',
  down: 'm4 6 4 4 4-4',
};

export type IconName = keyof typeof kPaths;

export function Icon({name}: {name: string}): JSX.Element {
  return (
    <svg viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={kPaths[name]} />
    </svg>
  );
}
