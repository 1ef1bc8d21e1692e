// What came in, and what became of it: the two sides must be equal.
import type {JSX} from 'preact';
import {useEffect, useState} from 'preact/hooks';

import {get} from '../../lib/api';
import {bytes, count, moment, plural, span} from '../../lib/format';
import {balances, kOutcomeNames, kOutcomes, ledgerSum, type Counts, type LedgerSum} from '../../lib/ledger';
import {useLoad} from '../../lib/load';
import {useNow} from '../../lib/now';
import {link} from '../../lib/router';
import type {LedgerRow} from '../../lib/types';
import {Icon} from '../../ui/icons';
import {Card, Legend, Meter, Pill} from '../../ui/parts';
import {Empty, Loading} from '../../ui/states';

interface Page {
  ledger: LedgerRow[];
  next: string | null;
}

function parts(row: Counts): Array<{share: number; tone: string; title: string}> {
  return kOutcomes.map((o) => ({share: row[o], tone: kOutcomeNames[o].tone, title: `${count(row[o])} ${kOutcomeNames[o].name}`}));
}

function Balance({sum}: {sum: LedgerSum}): JSX.Element {
  return (
    <Card title="The books" aside={`${plural(sum.ranges, 'file or offset range', 'files and offset ranges')} · ${bytes(sum.bytes)}`}>
      <div class="balance">
        <div class="side">
          <div class="v">{count(sum.received)}</div>
          <div class="soft">received</div>
        </div>
        <span class={sum.unbalanced ? 'equals crit' : 'equals'}>{sum.unbalanced ? '≠' : '='}</span>
        {kOutcomes.map((o, i) => (
          <>
            {i > 0 && <span class="plus">+</span>}
            <div class="side">
              <div class="v">{o === 'quarantined' && sum[o] ? <a class="link" href={link('data', ['quarantine'])}>{count(sum[o])}</a> : count(sum[o])}</div>
              <Legend tone={kOutcomeNames[o].tone}>{kOutcomeNames[o].name}</Legend>
            </div>
          </>
        ))}
        <Pill tone={sum.unbalanced ? 'crit' : 'ok'}>{sum.unbalanced ? `${plural(sum.unbalanced, 'row')} off` : 'balanced'}</Pill>
      </div>
      <Meter parts={parts(sum)} label="What became of what was received" />
    </Card>
  );
}

// "/tmp/.../readings.ndjson": the end of a path tells most.
function shortRange(range: string): string {
  const pieces = range.split('/');
  return range.startsWith('/') && pieces.length > 3 ? `…/${pieces.slice(-2).join('/')}` : range;
}

function Row({row, now}: {row: LedgerRow; now: number}): JSX.Element {
  const seconds = row.finished_at ? (Date.parse(row.finished_at) - Date.parse(row.started_at)) / 1000 : null;
  const even = balances(row);
  return (
    <tr>
      <td class="soft" title={row.started_at}>{moment(row.started_at, now, true)}</td>
      <td>
        <span class="mono cut range" title={row.range}>{shortRange(row.range)}</span>
        <div class="sub hide">{row.source} · {row.run}</div>
      </td>
      <td class="num"><b>{count(row.received)}</b></td>
      <td class="hide meter-cell"><Meter parts={parts(row)} label={parts(row).filter((p) => p.share).map((p) => p.title).join(', ')} /></td>
      <td class="num hide">{row.quarantined ? <span class="high">{count(row.quarantined)}</span> : <span class="faint">0</span>}</td>
      <td class="num hide">{count(row.duplicate)}</td>
      <td class="num hide soft">{bytes(row.bytes)}</td>
      <td class="num hide soft">{seconds === null ? '' : span(seconds)}</td>
      <td class="num">
        {row.finished_at === null ? <Pill>under way</Pill> : even ? <span class="ok acked" title="received = the sum of the outcomes"><Icon name="check" /><span class="sr">balances</span></span> : <Pill tone="crit">off</Pill>}
      </td>
    </tr>
  );
}

export function LedgerSection({query}: {query: URLSearchParams}): JSX.Element {
  const run = query.get('run');
  const sum = useLoad('ledger sum', ledgerSum, 5);
  const first = useLoad(`ledger ${run ?? ''}`, (signal) => get<Page>(`/ledger?limit=60${run ? `&run=${encodeURIComponent(run)}` : ''}`, signal), 5);
  const [older, setOlder] = useState<Page[]>([]);
  useEffect(() => setOlder([]), [run]);
  const now = useNow();
  const next = older.length ? older[older.length - 1]!.next : first.data?.next;
  const known = new Set<string>();
  const rows = [first.data, ...older].flatMap((page) => page?.ledger ?? []).filter((row) => {
    const key = `${row.run} ${row.range} ${row.started_at}`;
    return !known.has(key) && known.add(key);
  });
  return (
    <div class="stack">
      <Loading of={sum} lines={3}>{(data) => <Balance sum={data} />}</Loading>
      <Card flush title="Files and offset ranges" aside="newest first">
        <Loading of={first} lines={10}>
          {() =>
            rows.length === 0 ? (
              <Empty icon="inbox" title="Nothing has come in yet" />
            ) : (
              <div class="scroll">
                <table>
                  <thead>
                    <tr>
                      <th>Begun</th>
                      <th>Range</th>
                      <th class="num">Received</th>
                      <th class="hide">Outcome</th>
                      <th class="num hide">Quarantined</th>
                      <th class="num hide">Repeats</th>
                      <th class="num hide">Size</th>
                      <th class="num hide">Took</th>
                      <th class="num"><span class="sr">Balance</span></th>
                    </tr>
                  </thead>
                  <tbody>{rows.map((row) => <Row key={`${row.run} ${row.range} ${row.started_at}`} row={row} now={now} />)}</tbody>
                </table>
              </div>
            )
          }
        </Loading>
      </Card>
      {next && (
        <p class="more-row">
          <button type="button" class="button" onClick={() => void get<Page>(next).then((page) => setOlder((all) => [...all, page]))}>Show older</button>
        </p>
      )}
    </div>
  );
}
