// The small parts that every page is made of.
import type {ComponentChildren, JSX} from 'preact';

import type {Alert, Severity} from '../lib/types';

export type Tone = 'crit' | 'high' | 'warn' | 'ok' | 'mute';

interface CardProps {
  title: ComponentChildren;
  aside?: ComponentChildren;
  span?: number;
  flush?: boolean;
  class?: string;
  children: ComponentChildren;
}

export function Card({title, aside, span, flush, class: more, children}: CardProps): JSX.Element {
  const classes = ['card', span ? `c${span}` : '', flush ? 'flush' : '', more ?? ''].filter(Boolean).join(' ');
  return (
    <section class={classes}>
      <header>
        <h2>{title}</h2>
        {aside !== undefined && <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

export function Pill({tone = 'mute', bare, open, title, children}: {
  tone?: Tone;
  bare?: boolean;
  open?: boolean;
  title?: string;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <span class={`pill ${tone}${bare ? ' bare' : ''}${open ? ' open' : ''}`} title={title}>
      {children}
    </span>
  );
}

const kSeverityTone: Record<Severity, Tone> = {critical: 'crit', high: 'high', medium: 'warn', low: 'mute', info: 'mute'};

export function severityTone(severity: Severity): Tone {
  return kSeverityTone[severity] ?? 'mute';
}

export function SeverityPill({alert}: {alert: Pick<Alert, 'severity' | 'state'>}): JSX.Element {
  const off = alert.state === 'closed' || alert.state === 'withdrawn';
  return (
    <Pill tone={off ? 'mute' : severityTone(alert.severity)} open={alert.state === 'pending' || off}>
      {alert.severity}
    </Pill>
  );
}

export function Legend({tone, round, dash, children}: {
  tone: string;
  round?: boolean;
  dash?: boolean;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <span class="legend">
      <i class={`sw m-${tone}${round ? ' sw-round' : ''}${dash ? ' sw-dash' : ''}`} />
      {children}
    </span>
  );
}

export function Segmented<T extends string>({label, options, value, onChange}: {
  label: string;
  options: ReadonlyArray<{value: T; label: ComponentChildren}>;
  value: T;
  onChange: (value: T) => void;
}): JSX.Element {
  return (
    <div class="seg" role="group" aria-label={label}>
      {options.map((option) => (
        <button key={option.value} type="button" aria-pressed={option.value === value} onClick={() => onChange(option.value)}>
          {option.label}
        </button>
      ))}
    </div>
  );
}

// Parts of a whole, side by side.
export function Meter({parts, label}: {parts: Array<{share: number; tone: string; title: string}>; label: string}): JSX.Element {
  return (
    <div class="meter" role="img" aria-label={label}>
      {parts.filter((p) => p.share > 0).map((p) => (
        <i key={p.title} class={`m-${p.tone}`} style={{flex: String(p.share)}} title={p.title} />
      ))}
    </div>
  );
}

// A line without axes; the last value is marked.
export function Spark({values, width = 86, height = 28, label, from}: {
  values: Array<number | null>;
  width?: number;
  height?: number;
  label: string;
  from?: number;
}): JSX.Element | null {
  const known = values.filter((v): v is number => v !== null);
  if (known.length < 2) return null;
  const low = Math.min(...known, from ?? Infinity);
  const high = Math.max(...known);
  const range = high - low || 1;
  const x = (i: number): number => (i * width) / (values.length - 1);
  const y = (v: number): number => 2 + (1 - (v - low) / range) * (height - 4);
  let line = '';
  let pen = false;
  values.forEach((v, i) => {
    if (v === null) pen = false;
    else {
      line += `${pen ? 'L' : 'M'}${x(i).toFixed(1)} ${y(v).toFixed(1)}`;
      pen = true;
    }
  });
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} width={width} height={height} preserveAspectRatio="none" role="img" aria-label={label}>
      <path d={line} />
    </svg>
  );
}
