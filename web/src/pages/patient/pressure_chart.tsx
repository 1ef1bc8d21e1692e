// Each reading a bar from diastolic to systolic over the bands of the guideline.
import type {JSX} from 'preact';
import {useMemo, useRef} from 'preact/hooks';
import uPlot from 'uplot';

import {decimal, moment, plural} from '../../lib/format';
import type {Loaded} from '../../lib/load';
import {useNow} from '../../lib/now';
import {levelName, type Reading} from '../../lib/pressure';
import {slots, type Slot} from '../../lib/slots';
import {token} from '../../lib/theme';
import {axes, Chart, type ChartOptions} from '../../ui/chart';
import {Card, Legend} from '../../ui/parts';
import {Empty, Loading} from '../../ui/states';
import {rangeStart, type Range} from './data';

// Office bands of AHA/ACC 2025, systolic.
const kBands: Array<{from: number; to: number; token: string}> = [
  {from: 130, to: 140, token: '--band2'},
  {from: 140, to: 180, token: '--band3'},
  {from: 180, to: 400, token: '--band4'},
];
const kHeight = 376;
const kLeastTop = 190, kMostBottom = 50;
const kPixelsABar = 9;

interface View {
  slots: Slot[];
  from: number;
  to: number;
}

function drawBands(u: uPlot): void {
  const {left, top, width, height} = u.bbox;
  u.ctx.save();
  for (const band of kBands) {
    const high = Math.max(top, u.valToPos(band.to, 'y', true));
    const low = Math.min(top + height, u.valToPos(band.from, 'y', true));
    if (low <= high) continue;
    u.ctx.fillStyle = token(band.token);
    u.ctx.fillRect(left, high, width, low - high);
  }
  u.ctx.restore();
}

function drawBars(u: uPlot, shown: Slot[]): void {
  const ratio = devicePixelRatio;
  const {ctx} = u;
  const accent = token('--accent-mark'), grave = token('--crit-mark');
  const perBar = (u.bbox.width / Math.max(shown.length, 1)) * 0.6;
  const thick = Math.max(2.5 * ratio, Math.min(5 * ratio, perBar));
  ctx.save();
  ctx.lineCap = 'round';
  for (const slot of shown) {
    const x = u.valToPos(slot.time, 'x', true);
    if (x < u.bbox.left - thick || x > u.bbox.left + u.bbox.width + thick) continue;
    const y = (value: number): number => u.valToPos(value, 'y', true);
    const line = (from: number, to: number, width: number, alpha: number): void => {
      ctx.globalAlpha = alpha;
      ctx.lineWidth = width;
      ctx.beginPath();
      ctx.moveTo(x, y(from));
      ctx.lineTo(x, y(to));
      ctx.stroke();
    };
    ctx.strokeStyle = slot.alert ? grave : accent;
    if (slot.readings > 1) line(slot.lowest, slot.highest, ratio, 0.55);
    line(slot.diastolic, slot.systolic, thick, slot.night && !slot.alert ? 0.4 : 0.88);
    if (!slot.alert) continue;
    ctx.globalAlpha = 1;
    ctx.fillStyle = grave;
    ctx.beginPath();
    ctx.arc(x, y(slot.highest) - 9 * ratio, 3.5 * ratio, 0, 2 * Math.PI);
    ctx.fill();
  }
  ctx.restore();
}

function makeOptions(view: {current: View}): ChartOptions {
  return {
    cursor: {y: false, points: {show: false}, drag: {x: false, y: false}},
    scales: {
      x: {range: () => [view.current.from, view.current.to]},
      y: {
        range: () => {
          const high = view.current.slots.map((s) => s.highest), low = view.current.slots.map((s) => s.lowest);
          return [Math.min(kMostBottom, ...low) - 6, Math.max(kLeastTop, ...high) + 14];
        },
      },
    },
    axes: axes(),
    series: [
      {},
      {show: true, paths: () => null, points: {show: false}},
      {stroke: token('--text'), width: 1.3, dash: [3, 4], alpha: 0.6, points: {show: false}, spanGaps: true},
    ],
    hooks: {
      drawClear: [drawBands],
      // Below the dashed line, above the grid.
      drawSeries: [(u, index) => index === 1 && drawBars(u, view.current.slots)],
    },
  };
}

function Tip({slot, now}: {slot: Slot; now: number}): JSX.Element {
  return (
    <>
      <b>{decimal(slot.systolic, 0)} / {decimal(slot.diastolic, 0)}</b> mmHg
      {slot.readings > 1 ? (
        <div class="soft">median of {plural(slot.readings, 'reading')}, {decimal(slot.lowest, 0)} to {decimal(slot.highest, 0)}</div>
      ) : (
        <div class="soft">{levelName(slot.level)}{slot.night ? ', at night' : ''}</div>
      )}
      {slot.alert && <div class="crit">alert</div>}
      <div class="faint">{moment(slot.time * 1000, now)}</div>
    </>
  );
}

export function PressureChart({readings, range, alerted}: {
  readings: Loaded<Reading[]>;
  range: Range;
  alerted: ReadonlySet<string>;
}): JSX.Element {
  const now = useNow();
  // A bar's width of time is enough of a clock.
  const bars = Math.max(30, Math.round((Math.min(window.innerWidth, 1500) * 0.62) / kPixelsABar));
  const from = rangeStart(range, readings.data ?? [], now);
  const step = Math.max(10, (now / 1000 - from) / bars);
  const tick = Math.floor(now / 1000 / Math.max(2, step / 4));
  const view = useRef<View>({slots: [], from, to: now / 1000});
  const data = useMemo(() => {
    const margin = (now / 1000 - from) * 0.012;
    view.current = {slots: slots(readings.data ?? [], from, step, alerted), from: from - margin, to: now / 1000 + margin};
    const shown = view.current.slots;
    return [shown.map((s) => s.time), shown.map((s) => s.systolic), shown.map((s) => s.usual)] as uPlot.AlignedData;
  }, [readings.data, range, alerted, tick, bars]);
  const shown = view.current.slots;
  return (
    <Card
      span={9}
      title="Blood pressure, mmHg"
      aside={
        <>
          <Legend tone="accent">day</Legend>
          <span class="legend"><i class="sw sw-night" />night</span>
          <Legend tone="crit" round>alert</Legend>
          <Legend tone="" dash>own median</Legend>
          <span class="hide">shaded: stage 1, stage 2, severe</span>
        </>
      }
    >
      <Loading of={readings} lines={9}>
        {() =>
          shown.length === 0 ? (
            <Empty icon="chart" title="No readings in this span">A longer span may have some.</Empty>
          ) : (
            <Chart
              kind={`pressure ${range}`}
              make={() => makeOptions(view)}
              data={data}
              height={kHeight}
              label={`Blood pressure, ${plural(shown.length, 'bar')}`}
              tip={(i) => shown[i] && <Tip slot={shown[i]!} now={now} />}
            />
          )
        }
      </Loading>
    </Card>
  );
}
