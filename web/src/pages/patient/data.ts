// What the page of a patient shows, as it is asked for.
import {useEffect, useMemo, useRef, useState} from 'preact/hooks';

import {get, rows} from '../../lib/api';
import {onAlert} from '../../lib/live';
import {useLoad, type Loaded} from '../../lib/load';
import type {FoundPatient} from '../../lib/patients';
import type {Reading} from '../../lib/pressure';
import type {Alert, LiveReading} from '../../lib/types';

export interface Patient extends FoundPatient {
  state: string | null;
  category: string;
  readings: number;
  readings_excluded: number;
}

export type Range = '1h' | '24h' | '14d' | '90d' | 'all';
export const kRanges = [
  {value: '1h', label: '1 h'},
  {value: '24h', label: '24 h'},
  {value: '14d', label: '14 d'},
  {value: '90d', label: '90 d'},
  {value: 'all', label: 'All'},
] as const;
const kHours: Record<Range, number> = {'1h': 1, '24h': 24, '14d': 14 * 24, '90d': 90 * 24, all: Infinity};
const kLeastHours = 14 * 24; // for the medians beside the chart
const kMostReadings = 10_000;
const kPressurePanel = '85354-9';

export function rangeOf(text: string | null): Range {
  return kRanges.some((r) => r.value === text) ? (text as Range) : '14d';
}

// Where the span begins, in seconds since 1970.
export function rangeStart(range: Range, readings: Reading[], now: number): number {
  if (range !== 'all') return now / 1000 - kHours[range] * 3600;
  return (readings[0]?.time ?? now - 3600_000) / 1000;
}

export async function loadPatient(id: string, signal: AbortSignal): Promise<Patient | null> {
  const found = await rows<Patient>(
    `SELECT id, given_name, family_name, gender, birth_date, city, state, category, readings, readings_excluded
     FROM gold.patient_observations WHERE id = $1`,
    [id],
    signal,
  );
  return found[0] ?? null;
}

interface Row {
  id: string;
  time: string;
  effective_offset_minutes: number | null;
  systolic: number | null;
  diastolic: number | null;
  level: string | null;
  quality: string | null;
  device: string | null;
  setting: string | null;
}

async function loadReadings(id: string, hours: number, signal: AbortSignal): Promise<Reading[]> {
  const since = hours === Infinity ? '' : `AND effective_time > now() - INTERVAL ${hours} HOURS`;
  const found = await rows<Row>(
    `SELECT id, effective_time AS time, effective_offset_minutes, systolic_pressure_value AS systolic,
       diastolic_pressure_value AS diastolic, computed_interpretation_code AS level, quality,
       coalesce(device_type, device) AS device, setting
     FROM silver.observation
     WHERE patient_id = $1 AND retracted_at IS NULL AND effective_time IS NOT NULL ${since}
     ORDER BY effective_time DESC LIMIT ${kMostReadings}`,
    [id],
    signal,
  );
  return found.reverse().map((row) => ({
    id: row.id,
    time: Date.parse(row.time),
    offsetMinutes: row.effective_offset_minutes,
    systolic: row.systolic,
    diastolic: row.diastolic,
    level: row.level,
    quality: row.quality ?? '',
    device: row.device,
    setting: row.setting,
  }));
}

function fromLive(live: LiveReading): Reading {
  return {
    id: live.id,
    time: Date.parse(live.time!),
    offsetMinutes: null,
    systolic: live.value,
    diastolic: live.diastolic,
    level: live.level,
    quality: live.quality,
    device: null,
    setting: null,
  };
}

// Readings in order of time: those of the tables, and what the stream has brought since.
export function useReadings(id: string, range: Range): Loaded<Reading[]> {
  const hours = Math.max(kHours[range], kLeastHours);
  const stored = useLoad(`readings ${id} ${hours}`, (signal) => loadReadings(id, hours, signal), 60);
  const [live, setLive] = useState<Reading[]>([]);
  useEffect(() => {
    setLive([]);
    let stream: EventSource | null = null;
    const open = (): void => {
      stream = new EventSource(`/events?patient=${encodeURIComponent(id)}&readings=50`);
      stream.addEventListener('reading', (event) => {
        const reading = JSON.parse((event as MessageEvent<string>).data) as LiveReading;
        if (reading.vital === kPressurePanel && reading.time) setLive((known) => [...known, fromLive(reading)].slice(-kMostReadings));
      });
    };
    const follow = (): void => {
      stream?.close();
      if (!document.hidden) open();
    };
    follow();
    document.addEventListener('visibilitychange', follow);
    return () => {
      stream?.close();
      document.removeEventListener('visibilitychange', follow);
    };
  }, [id]);
  const data = useMemo(() => {
    if (!stored.data) return undefined;
    const known = new Set(stored.data.map((r) => r.id));
    const fresh = new Map(live.filter((r) => !known.has(r.id)).map((r) => [r.id, r]));
    return fresh.size ? [...stored.data, ...fresh.values()].sort((a, b) => a.time - b.time) : stored.data;
  }, [stored.data, live]);
  return {...stored, data};
}

export function useAlertsOf(id: string): Loaded<Alert[]> {
  const alerts = useLoad(`alerts of ${id}`, (signal) => get<Alert[]>(`/alerts?patient=${encodeURIComponent(id)}&limit=200`, signal));
  // Those of patients merged into this one come with theirs, under their own ids.
  const whose = new Set([id, ...(alerts.data ?? []).map((alert) => alert.patient_id)]);
  const latest = useRef(whose);
  latest.current = whose;
  useEffect(() => onAlert((alert) => alert.patient_id !== null && latest.current.has(alert.patient_id) && alerts.again()), [id]);
  return alerts;
}
