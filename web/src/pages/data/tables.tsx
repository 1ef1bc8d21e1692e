import type {JSX} from 'preact';

import {get} from '../../lib/api';
import {ago, bytes, count, moment, plural} from '../../lib/format';
import {useLoad} from '../../lib/load';
import {useNow} from '../../lib/now';
import {go, link} from '../../lib/router';
import type {TableEntry} from '../../lib/types';
import {Card} from '../../ui/parts';
import {Empty, Loading} from '../../ui/states';

const kLayers: Array<{layer: string; title: string; what: string}> = [
  {layer: 'bronze', title: 'Bronze', what: 'as received'},
  {layer: 'silver', title: 'Silver', what: 'cleaned, keyed, one row a record'},
  {layer: 'gold', title: 'Gold', what: 'summed up, kept current from the change feed'},
  {layer: 'ops', title: 'Operations', what: 'what came in, what was refused, what was found'},
  {layer: 'view', title: 'Views', what: 'SQL, kept with the lake'},
];

function Row({table: t, most, now}: {table: TableEntry; most: number; now: number}): JSX.Element {
  const to = link('data', ['tables', t.name]);
  return (
    <tr class="is-link" onClick={(event) => !(event.target as Element).closest('a') && go(to)}>
      <td class="name"><a class="rowlink mono" href={to}>{t.name}</a></td>
      <td class="num">{t.kind === 'view' ? <span class="faint">view</span> : t.rows === null ? <span class="faint">{t.version === null ? 'not made yet' : '–'}</span> : count(t.rows)}</td>
      <td class="hide share"><i style={{width: `${most ? Math.round(((t.rows ?? 0) / most) * 100) : 0}%`}} /></td>
      <td class="num hide">{bytes(t.bytes)}</td>
      <td class="num hide">{count(t.files)}</td>
      <td class="num hide">{t.version === null ? '–' : count(t.version)}</td>
      <td class="num soft" title={moment(t.changed, now, true)}>{ago(t.changed, now)}</td>
    </tr>
  );
}

export function TablesSection(): JSX.Element {
  const tables = useLoad('tables', (signal) => get<{tables: TableEntry[]}>('/tables', signal), 5);
  const now = useNow();
  return (
    <Loading of={tables} lines={12}>
      {({tables: all}) => {
        const most = Math.max(...all.map((t) => t.rows ?? 0));
        if (!all.length) return <Card title="Tables"><Empty icon="table" title="No tables yet">The first run makes them.</Empty></Card>;
        return (
          <div class="stack">
            {kLayers.map(({layer, title, what}) => {
              const of = all.filter((t) => t.layer === layer);
              if (!of.length) return null;
              const size = of.reduce((sum, t) => sum + (t.bytes ?? 0), 0);
              return (
                <Card key={layer} flush title={<>{title} <span class="faint what">{what}</span></>} aside={layer === 'view' ? plural(of.length, 'view') : `${plural(of.length, 'table')} · ${bytes(size)}`}>
                  <div class="scroll">
                    <table class="tables">
                      <thead>
                        <tr>
                          <th>Name</th>
                          <th class="num">Rows</th>
                          <th class="hide"><span class="sr">Share of rows</span></th>
                          <th class="num hide">Size</th>
                          <th class="num hide">Files</th>
                          <th class="num hide">Version</th>
                          <th class="num">Changed</th>
                        </tr>
                      </thead>
                      <tbody>{of.map((t) => <Row key={t.name} table={t} most={most} now={now} />)}</tbody>
                    </table>
                  </div>
                </Card>
              );
            })}
          </div>
        );
      }}
    </Loading>
  );
}
