import type {ComponentChildren, JSX} from 'preact';

import {count, decimal, spanParts} from '../../lib/format';
import {ledgerSum} from '../../lib/ledger';
import {alertsOn, history, status, type StatusPoint} from '../../lib/live';
import {useLoad} from '../../lib/load';
import {link} from '../../lib/router';
import {useStore} from '../../lib/store';
import {Spark} from '../../ui/parts';

const kSparkPoints = 60;

function Tile({name, value, unit, detail, to, spark}: {
  name: string;
  value: ComponentChildren;
  unit?: string;
  detail: ComponentChildren;
  to?: string;
  spark?: (point: StatusPoint) => number | null;
}): JSX.Element {
  const points = useStore(history);
  const content = (
    <>
      <div class="k">{name}</div>
      <div class="v">
        {value ?? <span class="bone" />}
        {unit && <small>{unit}</small>}
      </div>
      <div class="d">{detail}</div>
      {spark && <Spark values={points.slice(-kSparkPoints).map(spark)} from={0} label={`${name}, last minute`} />}
    </>
  );
  return to ? <a class="tile" href={to}>{content}</a> : <div class="tile">{content}</div>;
}

function LedgerTile(): JSX.Element {
  const ledger = useLoad('ledger sum', ledgerSum, 10);
  const sum = ledger.data;
  const state = !sum ? undefined : sum.unbalanced > 0 ? <span class="crit">{count(sum.unbalanced)} off</span> : 'balanced';
  const detail = sum ? `${count(sum.received)} in · ${count(sum.duplicate)} repeats` : ledger.fault ? 'not readable' : '\u00a0';
  return <Tile name="Ledger" value={state} detail={detail} to={link('data', ['ledger'])} />;
}

export function Tiles(): JSX.Element {
  const now = useStore(status);
  const alerts = useStore(alertsOn);
  const age = (layer: string): [string, string] | null => {
    const found = now?.layers.find((l) => l.layer === layer);
    return found ? spanParts(found.age_seconds) : null;
  };
  const silver = age('silver'), gold = age('gold');
  const told = now?.alerts.told_milliseconds;
  const on = alerts?.length ?? now?.alerts.on;
  const critical = alerts ? alerts.filter((a) => a.severity === 'critical').length : now?.alerts.critical;
  return (
    <div class="tiles">
      <Tile name="Readings" value={now && decimal(now.readings_per_second)} unit="/s" spark={(p) => p.rate}
        detail={now ? `${count(now.readings)} since the start` : '\u00a0'} />
      <Tile name="Event to alert" value={now && (told ? decimal(told.p50) : '–')} unit="ms p50" spark={(p) => p.told}
        detail={told ? `${decimal(told.p99)} ms p99` : 'no alert yet'} />
      <Tile name="Freshness, silver" value={now && (silver?.[0] ?? '–')} unit={silver?.[1]} spark={(p) => p.silverAge}
        detail={gold ? `gold ${gold.join(' ')}` : 'no gold yet'} />
      <Tile name="Open alerts" value={on} spark={(p) => p.on} to={link('alerts')}
        detail={critical ? <span class="crit">{critical} critical</span> : 'none critical'} />
      <LedgerTile />
    </div>
  );
}
