// When alerts were opened, by severity.
import type {JSX} from 'preact';
import {useState} from 'preact/hooks';

import {kSeverities} from '../../lib/alerts';
import {rows} from '../../lib/api';
import {clock, day, plural} from '../../lib/format';
import {useLoad} from '../../lib/load';
import type {Severity} from '../../lib/types';
import {Card, Legend, Segmented, severityTone} from '../../ui/parts';
import {Loading} from '../../ui/states';

const kSpans = {
  '1h': {label: '1 h', seconds: 3600, bins: 60},
  '24h': {label: '24 h', seconds: 86400, bins: 72},
  '14d': {label: '14 d', seconds: 14 * 86400, bins: 84},
} as const;
type SpanName = keyof typeof kSpans;
const kWidth = 1000, kHeight = 84, kFloor = 68;

interface Bin {
  bin: number;
  severity: Severity;
  alerts: number;
}

// The last bin is the one of now.
function load(name: SpanName, signal: AbortSignal): Promise<Bin[]> {
  const {seconds, bins} = kSpans[name];
  return rows<Bin>(
    `WITH alert AS (
       SELECT alert_id, arg_max(severity, sequence) AS severity, min(opened_at) AS opened_at
       FROM ops.alert WHERE opened_at > now() - INTERVAL ${seconds} SECONDS AND change <> 'withdrawn' GROUP BY alert_id
     )
     SELECT CAST(${bins} - 1 - floor((epoch(now()) - epoch(opened_at)) / ${seconds / bins}) AS BIGINT) AS bin,
       severity, count(*) AS alerts FROM alert GROUP BY ALL`,
    [],
    signal,
  );
}

function Bars({data, span}: {data: Bin[]; span: (typeof kSpans)[SpanName]}): JSX.Element {
  const step = kWidth / span.bins;
  const sums = new Map<number, number>();
  data.forEach((b) => sums.set(b.bin, (sums.get(b.bin) ?? 0) + b.alerts));
  const most = Math.max(4, ...sums.values());
  const now = Date.now();
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const time = (share: number): string => {
    const at = now - (1 - share) * span.seconds * 1000;
    return share === 1 ? 'now' : span.seconds > 86400 ? day(at) : clock(at);
  };
  const stacked = new Map<number, number>();
  return (
    <figure class="times">
      <svg viewBox={`0 0 ${kWidth} ${kFloor}`} preserveAspectRatio="none" role="img" aria-label={`${plural(data.reduce((n, b) => n + b.alerts, 0), 'alert')} opened`}>
        <line x1="0" x2={kWidth} y1={kFloor - 0.5} y2={kFloor - 0.5} class="axis" vector-effect="non-scaling-stroke" />
        {kSeverities.flatMap((severity) =>
          data.filter((b) => b.severity === severity && b.bin >= 0).map((b) => {
            const below = stacked.get(b.bin) ?? 0;
            stacked.set(b.bin, below + b.alerts);
            const unit = (kFloor - 4) / most;
            return (
              <rect key={`${severity} ${b.bin}`} class={`f-${severityTone(severity)}`} x={b.bin * step + step * 0.12} width={step * 0.76}
                y={kFloor - 1 - (below + b.alerts) * unit} height={b.alerts * unit}>
                <title>{plural(b.alerts, `${severity} alert`)}</title>
              </rect>
            );
          }),
        )}
      </svg>
      <figcaption>{ticks.map((t) => <span key={t}>{time(t)}</span>)}</figcaption>
    </figure>
  );
}

export function AlertTimes(): JSX.Element {
  const [name, setName] = useState<SpanName>('1h');
  const bins = useLoad(`alert times ${name}`, (signal) => load(name, signal), 10);
  return (
    <Card
      title="Alerts opened"
      class="times-card"
      aside={
        <>
          <span class="hide"><Legend tone="crit">critical</Legend></span>
          <span class="hide"><Legend tone="high">high</Legend></span>
          <span class="hide"><Legend tone="warn">medium</Legend></span>
          <span class="hide"><Legend tone="mute">low</Legend></span>
          <Segmented label="Span of time" value={name} onChange={setName}
            options={(Object.keys(kSpans) as SpanName[]).map((value) => ({value, label: kSpans[value].label}))} />
        </>
      }
    >
      <div style={{minHeight: `${kHeight}px`}}>
        <Loading of={bins} lines={2}>{(data) => <Bars data={data} span={kSpans[name]} />}</Loading>
      </div>
    </Card>
  );
}
