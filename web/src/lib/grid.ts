// Cells of a query's result as they are shown and sorted.
import type {Cell, Column} from './api';

export type Kind = 'number' | 'time' | 'date' | 'boolean' | 'text';

export function kindOf(column: Column): Kind {
  const type = column.type.toUpperCase();
  if (/^(U?(TINY|SMALL|BIG|HUGE)?INT|U?INTEGER|FLOAT|DOUBLE|REAL|DECIMAL|NUMERIC)\b/.test(type) && !type.endsWith('[]')) return 'number';
  if (type.startsWith('TIMESTAMP') || type === 'DATETIME') return 'time';
  if (type === 'DATE') return 'date';
  if (type === 'BOOLEAN') return 'boolean';
  return 'text';
}

export function cellText(cell: Cell | object, kind: Kind): string {
  if (cell === null) return 'NULL';
  if (typeof cell === 'object') return JSON.stringify(cell);
  if (kind === 'number' && typeof cell === 'number') return Number.isInteger(cell) ? String(cell) : String(Number(cell.toPrecision(9)));
  if (kind === 'time') return String(cell).replace('T', ' ').replace(/\.?0*Z$/, '').replace(/Z$/, '');
  return String(cell);
}

export function compareCells(a: Cell, b: Cell): number {
  if (a === b) return 0;
  if (a === null) return 1; // NULL last
  if (b === null) return -1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a) < String(b) ? -1 : 1;
}

export interface Plan {
  x: number;
  ys: number[];
  kind: 'line' | 'bars';
}

const kMostSeries = 4;

// How a result may be drawn: numbers over a time or date, else over the first column that names them.
export function chartPlan(columns: Column[], rows: Cell[][]): Plan | null {
  const kinds = columns.map(kindOf);
  const ys = kinds.flatMap((kind, i) => (kind === 'number' ? [i] : []));
  if (rows.length < 2 || !ys.length) return null;
  const time = kinds.findIndex((k) => k === 'time' || k === 'date');
  if (time >= 0) return {x: time, ys: ys.slice(0, kMostSeries), kind: 'line'};
  const name = kinds.findIndex((k) => k === 'text' || k === 'boolean');
  if (name >= 0) return {x: name, ys: ys.slice(0, 1), kind: 'bars'};
  return ys.length > 1 ? {x: ys[0]!, ys: ys.slice(1, 1 + kMostSeries), kind: 'line'} : null;
}
