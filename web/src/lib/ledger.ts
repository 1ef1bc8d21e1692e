// The books: what was received is what was written, superseded, ... , to the last record.
import {rows} from './api';

export const kOutcomes = ['written', 'superseded', 'duplicate', 'quarantined', 'out_of_scope'] as const;
export type Outcome = (typeof kOutcomes)[number];
export type Counts = Record<Outcome | 'received', number>;

export interface LedgerSum extends Counts {
  bytes: number;
  ranges: number;
  unbalanced: number;
  under_way: number;
}

export const kOutcomeNames: Record<Outcome, {name: string; tone: string}> = {
  written: {name: 'written', tone: 'accent'},
  superseded: {name: 'superseded', tone: 'ok'},
  duplicate: {name: 'duplicate', tone: 'mute'},
  quarantined: {name: 'quarantined', tone: 'high'},
  out_of_scope: {name: 'out of scope', tone: 'warn'},
};

const kSum = kOutcomes.join(' + ');

export async function ledgerSum(signal?: AbortSignal): Promise<LedgerSum> {
  const sums = ['received', ...kOutcomes, 'bytes'].map((c) => `coalesce(sum(${c}), 0)::BIGINT AS ${c}`).join(', ');
  const [sum] = await rows<LedgerSum>(
    `SELECT ${sums}, count(*) AS ranges, count(*) FILTER (WHERE finished_at IS NULL) AS under_way,
       count(*) FILTER (WHERE finished_at IS NOT NULL AND received <> ${kSum}) AS unbalanced
     FROM ops.ledger`,
    [],
    signal,
  );
  return sum!;
}

export function balances(row: Counts): boolean {
  return row.received === kOutcomes.reduce((sum, outcome) => sum + row[outcome], 0);
}
