import type {JSX} from 'preact';

import {rows} from '../../lib/api';
import {categoryLabel, categoryOf, kCategoryLabels} from '../../lib/categories';
import {count, plural} from '../../lib/format';
import {useLoad} from '../../lib/load';
import {link} from '../../lib/router';
import {Card, Legend} from '../../ui/parts';
import {Empty, Loading} from '../../ui/states';

interface Group {
  age_band: string;
  category: string;
  patients: number;
}

const kBands = ['0-12', '13-17', '18-39', '40-64', '65-79', '80+', 'unknown'];
const kEverySeconds = 15;

function load(signal: AbortSignal): Promise<Group[]> {
  return rows<Group>('SELECT age_band, category, sum(patients)::BIGINT AS patients FROM gold.bp_population GROUP BY ALL', [], signal);
}

// The band's patients by label, in the order of gravity.
function byLabel(groups: Group[]): Array<[string, number]> {
  const sums = new Map<string, number>();
  for (const group of groups) {
    const label = categoryLabel(group.category);
    sums.set(label, (sums.get(label) ?? 0) + group.patients);
  }
  return kCategoryLabels.filter((l) => sums.has(l)).map((l) => [l, sums.get(l)!]);
}

function tone(label: string): string {
  return categoryOf(label.startsWith('home') ? `x ${label}` : `office: ${label}`).tone;
}

export function Population(): JSX.Element {
  const groups = useLoad('population', load, kEverySeconds);
  const total = groups.data?.reduce((sum, g) => sum + g.patients, 0);
  return (
    <Card title="Population by category" aside={total === undefined ? '' : `AHA/ACC 2025 · ${plural(total, 'patient')}`}>
      <Loading of={groups} lines={6}>
        {(data) =>
          data.length === 0 ? (
            <Empty icon="patients" title="No patients yet" />
          ) : (
            <>
              <div class="pop-legend">
                {byLabel(data).map(([label]) => <Legend key={label} tone={tone(label)}>{label}</Legend>)}
              </div>
              <div class="pop">
                {kBands.filter((band) => data.some((g) => g.age_band === band)).map((band) => {
                  const parts = byLabel(data.filter((g) => g.age_band === band));
                  const sum = parts.reduce((n, [, patients]) => n + patients, 0);
                  return (
                    <div class="pop-row" key={band}>
                      <span class="soft">{band.replace('-', '–')}</span>
                      <div><div class="meter">
                        {parts.map(([label, patients]) => (
                          <a key={label} class={`m-${tone(label)}`} style={{flex: String(patients)}} href={link('patients', [], {category: label})}
                            title={`${label}: ${plural(patients, 'patient')}`} aria-label={`${band} years, ${label}: ${plural(patients, 'patient')}`} />
                        ))}
                      </div></div>
                      <span class="soft num">{count(sum)}</span>
                    </div>
                  );
                })}
              </div>
            </>
          )
        }
      </Loading>
    </Card>
  );
}
