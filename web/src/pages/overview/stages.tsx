// The way of a reading, and how far behind the source each layer is.
import type {ComponentChildren, JSX} from 'preact';

import {count, decimal, plural, span} from '../../lib/format';
import {status} from '../../lib/live';
import {link} from '../../lib/router';
import {useStore} from '../../lib/store';
import type {LayerState, Status} from '../../lib/types';
import {Card} from '../../ui/parts';
import {Skeleton} from '../../ui/states';

type State = 'good' | 'slow' | 'down' | 'off';

// Seconds from which on a layer counts as slow while readings come.
const kSlowAfter = {bronze: 10, silver: 20, gold: 60};
const kWhat = {bronze: 'as received', silver: 'observation, vital_sign, patient', gold: 'models, from the change feed'};
const kNames = {bronze: 'Bronze', silver: 'Silver', gold: 'Gold'};
const kLagSlowSeconds = 5;

function Stage({name, what, time, note, state, to}: {
  name: string;
  what: ComponentChildren;
  time: ComponentChildren;
  note: ComponentChildren;
  state: State;
  to?: string;
}): JSX.Element {
  return (
    <li class={`stage is-${state}`}>
      <i class="n" />
      <div>
        <b>{to ? <a class="rowlink" href={to}>{name}</a> : name}</b>
        <span class="sub">{what}</span>
      </div>
      <div class="t">
        <b>{time}</b>
        {state === 'slow' && <span class="sr"> slow</span>}
        <span class="sub">{note}</span>
      </div>
    </li>
  );
}

function source(now: Status): JSX.Element {
  const down = now.streams.filter((s) => !s.running);
  const away = now.streams.find((s) => s.remark);
  const lags = now.streams.map((s) => s.lag_seconds).filter((s): s is number => s !== null);
  const lag = lags.length ? Math.max(...lags) : null;
  const messages = now.streams.reduce<number | null>((sum, s) => (s.lag_messages === null ? sum : (sum ?? 0) + s.lag_messages), null);
  const state: State = !now.streams.length ? 'off' : down.length || away ? 'down' : lag !== null && lag > kLagSlowSeconds ? 'slow' : 'good';
  const names = now.streams.map((s) => s.stream).join(', ');
  return (
    <Stage
      name="Source"
      what={!now.streams.length ? 'no stream is configured' : down.length ? `${down.map((s) => s.stream).join(', ')} stopped` : away ? `${away.stream}: ${away.remark}` : names}
      time={down.length ? 'stopped' : away ? 'unknown' : lag === null ? '–' : span(lag)}
      note={messages === null ? plural(now.streams.length, 'stream') : `${count(messages)} waiting`}
      state={state}
    />
  );
}

function monitor(now: Status): JSX.Element {
  const told = now.alerts.told_milliseconds;
  return (
    <Stage
      name="Monitor"
      what="every reading judged as it comes"
      time={told ? `${decimal(told.p50)} ms` : '–'}
      note={`${now.alerts.on} open`}
      state={now.streams.length ? 'good' : 'off'}
      to={link('alerts')}
    />
  );
}

function layer(found: LayerState | undefined, name: LayerState['layer'], flowing: boolean): JSX.Element {
  const slow = found !== undefined && flowing && found.age_seconds > kSlowAfter[name];
  return (
    <Stage
      name={kNames[name]}
      what={kWhat[name]}
      time={found ? span(found.age_seconds) : '–'}
      note={found ? `version ${count(found.version)}` : 'not made yet'}
      state={!found ? 'off' : slow ? 'slow' : 'good'}
      to={link('data', ['tables'])}
    />
  );
}

export function Stages(): JSX.Element {
  const now = useStore(status);
  const flowing = (now?.readings_per_second ?? 0) > 0;
  const of = (name: LayerState['layer']): JSX.Element => layer(now!.layers.find((l) => l.layer === name), name, flowing);
  return (
    <Card span={4} title="The way of a reading" aside="time behind the source">
      {now ? (
        <ol class="flow">
          {source(now)}
          {monitor(now)}
          {of('bronze')}
          {of('silver')}
          {of('gold')}
        </ol>
      ) : (
        <Skeleton lines={7} />
      )}
    </Card>
  );
}
