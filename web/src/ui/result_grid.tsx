// Rows of a result. Only those in sight are in the document, so ten thousand are no burden.
import type {JSX} from 'preact';
import {useEffect, useMemo, useRef, useState} from 'preact/hooks';

import type {Cell, Column} from '../lib/api';
import {cellText, compareCells, kindOf} from '../lib/grid';
import {SortHead, type Order} from './sort_head';

const kRowHeight = 29;
const kMargin = 12; // rows beyond those in sight
const kMostHeight = 460;
const kMostText = 220;

export function ResultGrid({columns, rows, label, height = kMostHeight}: {
  columns: Column[];
  rows: Cell[][];
  label: string;
  height?: number;
}): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [order, setOrder] = useState<Order>({by: '', falling: false});
  useEffect(() => {
    setTop(0);
    box.current?.scrollTo(0, 0);
  }, [rows]);
  const kinds = useMemo(() => columns.map(kindOf), [columns]);
  const sorted = useMemo(() => {
    const at = Number(order.by);
    if (order.by === '' || at >= columns.length) return rows;
    const sign = order.falling ? -1 : 1;
    return [...rows].sort((a, b) => sign * compareCells(a[at] ?? null, b[at] ?? null));
  }, [rows, order, columns]);
  const first = Math.max(0, Math.floor(top / kRowHeight) - kMargin);
  const last = Math.min(sorted.length, Math.ceil((top + height) / kRowHeight) + kMargin);
  return (
    <div class="result" ref={box} tabIndex={0} role="region" aria-label={label} style={{maxHeight: `${height}px`}}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}>
      <table aria-rowcount={sorted.length + 1}>
        <thead>
          <tr>
            <th class="num row-number"><span class="sr">Row</span></th>
            {columns.map((column, i) => (
              <SortHead key={i} by={String(i)} order={order} onOrder={setOrder} class={kinds[i] === 'number' ? 'num' : undefined}>
                <span>{column.name}<small>{column.type.toLowerCase()}</small></span>
              </SortHead>
            ))}
          </tr>
        </thead>
        <tbody>
          {first > 0 && <tr style={{height: `${first * kRowHeight}px`}}><td colSpan={columns.length + 1} /></tr>}
          {sorted.slice(first, last).map((row, i) => (
            <tr key={first + i} aria-rowindex={first + i + 2}>
              <td class="num row-number">{first + i + 1}</td>
              {columns.map((_, c) => {
                const cell = row[c] ?? null;
                const text = cellText(cell, kinds[c]!);
                return (
                  <td key={c} class={cell === null ? 'null' : kinds[c] === 'number' ? 'num' : undefined} title={text.length > 40 ? text : undefined}>
                    {text.length > kMostText ? `${text.slice(0, kMostText)}…` : text}
                  </td>
                );
              })}
            </tr>
          ))}
          {last < sorted.length && <tr style={{height: `${(sorted.length - last) * kRowHeight}px`}}><td colSpan={columns.length + 1} /></tr>}
        </tbody>
      </table>
    </div>
  );
}
