// What the HTTP API sends (docs/http.md), as far as the dashboard reads it.

export type Severity = 'info' | 'low' | 'medium' | 'high' | 'critical';
export type AlertState = 'pending' | 'open' | 'unconfirmed' | 'closed' | 'withdrawn';

export interface Alert {
  alert_id: string;
  id_space: string | null;
  patient_id: string | null;
  vital: string;
  rule: string;
  rule_version: string | null;
  severity: Severity;
  state: AlertState;
  change: 'opened' | 'updated' | 'closed' | 'withdrawn';
  queue: string | null;
  notify: boolean;
  opened_at: string;
  updated_at: string;
  closed_at: string | null;
  acknowledged_by: string | null;
  acknowledged_at: string | null;
  snoozed_until: string | null;
  reading_ids: string | null;
  value: number | null;
  diastolic: number | null;
  baseline: number | null;
  baseline_sigma: number | null;
  baseline_readings: number | null;
  window: string | null;
  late_by: string | null;
  explanation: string | null;
  source: string | null;
  source_partition: string | null;
  source_offset: number | null;
  sequence: number;
}

export interface LiveReading {
  time: string | null;
  received: string;
  patient_id: string;
  id: string;
  vital: string;
  value: number | null;
  diastolic: number | null;
  level: string | null;
  quality: string;
  alert: boolean;
  source: string;
}

export interface StreamState {
  stream: string;
  running: boolean;
  lag_messages: number | null;
  lag_seconds: number | null;
  remark: string | null;
}

export interface LayerState {
  layer: 'bronze' | 'silver' | 'gold';
  updated_at: string;
  age_seconds: number;
  version: number;
}

export interface Status {
  time: string;
  uptime_seconds: number;
  readings_per_second: number;
  readings: number;
  streams: StreamState[];
  layers: LayerState[];
  alerts: {on: number; critical: number; told_milliseconds: {p50: number; p99: number} | null};
  quarantined: number;
}

export interface TableEntry {
  name: string;
  kind: 'table' | 'view';
  layer: string;
  version: number | null;
  rows: number | null;
  files: number | null;
  bytes: number | null;
  changed: string | null;
}

export interface TableColumn {
  name: string;
  type: string;
  nullable: boolean;
  nulls: number | null;
  min: string | number | boolean | null;
  max: string | number | boolean | null;
}

export interface TableDetail extends TableEntry {
  columns: TableColumn[];
  sql?: string;
  properties?: Record<string, string>;
  protocol?: {reader: number; writer: number; features: string[]};
  file_statistics?: {smallest_bytes: number; largest_bytes: number; average_bytes: number; with_statistics: number};
  history?: Array<{version: number; time: string; operation: string; metrics: Record<string, string> | null}>;
}

export interface LedgerRow {
  run: string;
  source: string;
  range: string;
  received: number;
  written: number;
  superseded: number;
  duplicate: number;
  quarantined: number;
  out_of_scope: number;
  bytes: number;
  started_at: string;
  finished_at: string | null;
  message: string | null;
}

export interface QuarantineRow {
  id: string;
  run: string;
  source: string;
  position: string;
  reason: string;
  element_path: string | null;
  message: string;
  received_at: string;
  replayed_at: string | null;
  payload?: string;
}

export interface ReplayOutcome {
  run: string;
  selected: number;
  written: number;
  superseded: number;
  duplicate: number;
  out_of_scope: number;
  still_refused: number;
}
