// A uPlot chart that fills its parent's width and follows data and theme.
import type {ComponentChildren, JSX} from 'preact';
import {useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks';
import uPlot from 'uplot';

import {useStore} from '../lib/store';
import {theme, token} from '../lib/theme';

export type ChartOptions = Omit<uPlot.Options, 'width' | 'height'>;

export interface ChartProps {
  // Made anew when `kind` or the theme changes: colours are read while it is made.
  make: () => ChartOptions;
  kind: string;
  data: uPlot.AlignedData;
  height: number;
  label: string;
  // What stands at the cursor, for the index of a point.
  tip?: (index: number) => ComponentChildren;
}

interface Tip {
  index: number;
  left: number;
}

export function Chart({make, kind, data, height, label, tip}: ChartProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shown = useStore(theme);
  const [at, setAt] = useState<Tip | null>(null);

  useLayoutEffect(() => {
    const parent = box.current!;
    const options = make();
    const follow = (u: uPlot): void => {
      const {idx, left} = u.cursor;
      const offset = u.bbox.left / devicePixelRatio;
      setAt(idx === null || idx === undefined || left === undefined || left < 0 ? null : {index: idx, left: left + offset});
    };
    const made = new uPlot(
      {
        padding: [10, 24, 0, 0], // half a label of the last time
        ...options,
        width: parent.clientWidth,
        height,
        legend: {show: false},
        hooks: {...options.hooks, setCursor: [follow]},
      },
      data,
      parent,
    );
    plot.current = made;
    const sized = new ResizeObserver(() => made.setSize({width: parent.clientWidth, height}));
    sized.observe(parent);
    return () => {
      sized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [kind, shown, height]);

  useEffect(() => plot.current?.setData(data), [data]);

  const width = box.current?.clientWidth ?? 0;
  const content = at && tip ? tip(at.index) : null;
  return (
    <div class="u-chart" role="img" aria-label={label} ref={box} style={{height: `${height}px`}} onMouseLeave={() => setAt(null)}>
      {content && at && (
        <div class="tip" style={at.left > width / 2 ? {right: `${width - at.left + 12}px`} : {left: `${at.left + 12}px`}}>
          {content}
        </div>
      )}
    </div>
  );
}

// Axes as all charts have them.
export function axes(values?: uPlot.Axis.DynamicValues, size = 34): uPlot.Axis[] {
  const font = `11px ${token('--sans')}`;
  const common = {stroke: token('--faint'), font, ticks: {show: false}, border: {show: false}};
  return [
    {...common, grid: {show: false}, size: 26, gap: 6, space: 90, values: timeLabels},
    {...common, grid: {stroke: token('--line2'), width: 1}, size, gap: 6, space: 44, ...(values ? {values} : {})},
  ];
}

const kDay = 86400;
const kMonths = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

// The date where a day begins, else the time.
export function timeLabels(_: uPlot, splits: number[], _axis: number, _space: number, step: number): string[] {
  const two = (n: number): string => String(n).padStart(2, '0');
  return splits.map((split) => {
    const d = new Date(split * 1000);
    if (step >= 28 * kDay) return `${kMonths[d.getMonth()]} ${d.getFullYear()}`;
    if (step >= kDay || (d.getHours() === 0 && d.getMinutes() === 0 && step >= 3600)) return `${d.getDate()} ${kMonths[d.getMonth()]}`;
    return `${two(d.getHours())}:${two(d.getMinutes())}${step < 60 ? `:${two(d.getSeconds())}` : ''}`;
  });
}
