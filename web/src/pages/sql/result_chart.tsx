// A result as lines over a time or number, or as bars of names.
import type {JSX} from 'preact';
import {useMemo} from 'preact/hooks';
import type uPlot from 'uplot';

import type {Cell, QueryResult} from '../../lib/api';
import {cellText, kindOf, type Plan} from '../../lib/grid';
import {day, moment} from '../../lib/format';
import {token} from '../../lib/theme';
import {axes, Chart, type ChartOptions} from '../../ui/chart';
import {Legend} from '../../ui/parts';

const kColours = ['accent', 'high', 'ok', 'worst'];
const kMostBars = 40;

function number(cell: Cell): number | null {
  return typeof cell === 'number' ? cell : null;
}

function Bars({result, plan}: {result: QueryResult; plan: Plan}): JSX.Element {
  const y = plan.ys[0]!;
  const shown = result.rows.slice(0, kMostBars);
  const most = Math.max(...shown.map((row) => Math.abs(number(row[y] ?? null) ?? 0)), 1e-9);
  const kinds = result.columns.map(kindOf);
  return (
    <div class="bars" role="img" aria-label={`${result.columns[y]!.name} by ${result.columns[plan.x]!.name}`}>
      {shown.map((row, i) => (
        <div class="bar-line" key={i}>
          <span class="cut soft">{cellText(row[plan.x] ?? null, kinds[plan.x]!)}</span>
          <i style={{width: `${(Math.abs(number(row[y] ?? null) ?? 0) / most) * 100}%`}} />
          <b class="num">{cellText(row[y] ?? null, 'number')}</b>
        </div>
      ))}
    </div>
  );
}

function Lines({result, plan}: {result: QueryResult; plan: Plan}): JSX.Element {
  const isTime = kindOf(result.columns[plan.x]!) !== 'number';
  const isDate = kindOf(result.columns[plan.x]!) === 'date';
  const data = useMemo(() => {
    const x = (cell: Cell): number | null => (isTime ? (cell === null ? null : Date.parse(String(cell)) / 1000) : number(cell));
    const points = result.rows
      .map((row) => ({x: x(row[plan.x] ?? null), ys: plan.ys.map((y) => number(row[y] ?? null))}))
      .filter((p): p is {x: number; ys: Array<number | null>} => p.x !== null && !Number.isNaN(p.x))
      .sort((a, b) => a.x - b.x);
    return [points.map((p) => p.x), ...plan.ys.map((_, i) => points.map((p) => p.ys[i] ?? null))] as uPlot.AlignedData;
  }, [result, plan]);
  const make = (): ChartOptions => {
    const [xAxis, yAxis] = axes(undefined, 52);
    return {
      padding: [10, 26, 0, 0],
      cursor: {y: false, drag: {x: false, y: false}},
      scales: {x: {time: isTime}},
      axes: [isTime ? xAxis! : {...xAxis!, values: (_, splits) => splits.map(String)}, yAxis!],
      series: [{}, ...plan.ys.map((_, i) => ({stroke: token(`--${kColours[i]}-mark`), width: 1.6, points: {show: data[0].length < 60, size: 5}}))],
    };
  };
  return (
    <div class="lines">
      <div class="pop-legend">{plan.ys.map((y, i) => <Legend key={y} tone={kColours[i]!}>{result.columns[y]!.name}</Legend>)}</div>
      <Chart
        kind={`result ${plan.x} ${plan.ys.join(' ')} ${result.row_count}`}
        make={make}
        data={data}
        height={360}
        label={`${plan.ys.map((y) => result.columns[y]!.name).join(', ')} over ${result.columns[plan.x]!.name}`}
        tip={(i) => (
          <>
            {plan.ys.map((y, s) => <div key={y}>{result.columns[y]!.name} <b>{cellText(data[s + 1]?.[i] ?? null, 'number')}</b></div>)}
            <div class="faint">{isDate ? day(data[0][i]! * 1000) : isTime ? moment(data[0][i]! * 1000) : String(data[0][i])}</div>
          </>
        )}
      />
    </div>
  );
}

export function ResultChart({result, plan}: {result: QueryResult; plan: Plan}): JSX.Element {
  return plan.kind === 'bars' ? <Bars result={result} plan={plan} /> : <Lines result={result} plan={plan} />;
}
