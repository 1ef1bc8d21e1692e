// How the whole does: rate, delays, open alerts, the books, the population.
import type {JSX} from 'preact';

import {OpenAlerts} from './overview/open_alerts';
import {Population} from './overview/population';
import {RateChart} from './overview/rate_chart';
import {Stages} from './overview/stages';
import {Ticker} from './overview/ticker';
import {Tiles} from './overview/tiles';

export function OverviewPage(): JSX.Element {
  return (
    <div class="grid">
      <Tiles />
      <RateChart />
      <Stages />
      <OpenAlerts />
      <div class="c5 stack">
        <Population />
        <Ticker />
      </div>
    </div>
  );
}
