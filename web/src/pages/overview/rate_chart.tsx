// Readings per second of the last quarter of an hour: from the tables what was before this page
// was opened, then from the stream.
import type {JSX} from 'preact';
import {useMemo} from 'preact/hooks';
import uPlot from 'uplot';

import {rows} from '../../lib/api';
import {clock, decimal} from '../../lib/format';
import {history, kHistorySeconds} from '../../lib/live';
import {useLoad} from '../../lib/load';
import {useStore} from '../../lib/store';
import {token} from '../../lib/theme';
import {axes, Chart, type ChartOptions} from '../../ui/chart';
import {Card, Legend} from '../../ui/parts';

interface Second {
  second: number;
  accepted: number;
  quarantined: number;
}

const kLeastSeconds = 120;
const kQuery = `
WITH accepted AS (
  SELECT received_at, 1 AS accepted, 0 AS quarantined FROM silver.observation
  WHERE received_at > now() - INTERVAL 15 MINUTES AND source_partition NOT LIKE 'bronze/%'
  UNION ALL
  SELECT received_at, 1, 0 FROM silver.vital_sign
  WHERE received_at > now() - INTERVAL 15 MINUTES AND source_partition NOT LIKE 'bronze/%'
    AND panel IS NULL AND component IS NULL
)
SELECT CAST(floor(epoch(received_at)) AS BIGINT) AS second, sum(accepted)::BIGINT AS accepted,
  sum(quarantined)::BIGINT AS quarantined
FROM accepted GROUP BY 1 ORDER BY 1`;

function useRates(): uPlot.AlignedData {
  const before = useLoad('rates', (signal) => rows<Second>(kQuery, [], signal).catch(() => []));
  const points = useStore(history);
  return useMemo(() => {
    const begin = points[0]?.time ?? Infinity;
    const from = (points[points.length - 1]?.time ?? Date.now() / 1000) - kHistorySeconds;
    const earlier = (before.data ?? []).filter((s) => s.second > from && s.second < begin - 1);
    const times: number[] = [];
    const rates: Array<number | null> = [];
    const quarantined: Array<number | null> = [];
    for (const s of earlier) {
      const last = times[times.length - 1];
      // Seconds without a row had no reading.
      if (last !== undefined && s.second - last > 1.5) {
        times.push(last + 1, s.second - 1);
        rates.push(0, 0);
        quarantined.push(null, null);
      }
      times.push(s.second);
      rates.push(s.accepted);
      quarantined.push(s.quarantined || null);
    }
    const last = times[times.length - 1];
    if (last !== undefined && begin - last > 3 && begin !== Infinity) {
      times.push(last + 1, begin - 1);
      rates.push(0, 0);
      quarantined.push(null, null);
    }
    points.forEach((p, i) => {
      times.push(p.time);
      rates.push(p.rate);
      const more = i > 0 ? p.quarantined - points[i - 1]!.quarantined : 0;
      quarantined.push(more > 0 ? more : null);
    });
    return [times, rates, quarantined] as uPlot.AlignedData;
  }, [before.data, points]);
}

function make(): ChartOptions {
  const accent = token('--accent-mark');
  return {
    cursor: {y: false, points: {size: 7}, drag: {x: false, y: false}},
    scales: {
      x: {range: (_, low, high) => [Math.min(low ?? 0, (high ?? 0) - kLeastSeconds), high ?? 1]},
      y: {range: (_, __, high) => [0, Math.max(5, (high ?? 0) * 1.18)]},
    },
    axes: axes(),
    series: [
      {},
      {
        stroke: accent,
        width: 1.6,
        fill: (u) => {
          const shade = u.ctx.createLinearGradient(0, u.bbox.top, 0, u.bbox.top + u.bbox.height);
          shade.addColorStop(0, `${accent}38`);
          shade.addColorStop(1, `${accent}05`);
          return shade;
        },
        points: {show: false},
      },
      {stroke: token('--high-mark'), fill: token('--high-mark'), width: 0, paths: uPlot.paths.bars!({size: [0.6, 4, 2]}), points: {show: false}},
    ],
  };
}

export function RateChart(): JSX.Element {
  const data = useRates();
  const [times, rates, quarantined] = data;
  return (
    <Card span={8} title="Readings per second" aside={<><Legend tone="accent">accepted</Legend><Legend tone="high">quarantined</Legend><span>last 15 min</span></>}>
      <Chart
        kind="rate"
        make={make}
        data={data}
        height={262}
        label="Readings per second over time"
        tip={(i) => times[i] !== undefined && (
          <>
            <b>{decimal(rates![i], 0)}</b> readings/s
            {quarantined![i] ? <div class="high">{quarantined![i]} quarantined</div> : null}
            <div class="faint">{clock(times[i]! * 1000, true)}</div>
          </>
        )}
      />
    </Card>
  );
}
