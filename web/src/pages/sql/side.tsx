// Beside the editor: statements to begin with, earlier ones, the tables.
import type {JSX} from 'preact';

import {quoteName, type Schema} from '../../lib/sql_text';
import {Skeleton} from '../../ui/states';

const kExamples: Array<[string, string]> = [
  ['Readings a minute', `SELECT time_bucket(INTERVAL 1 MINUTE, received_at) AS minute, count(*) AS readings
FROM silver.observation
WHERE received_at > now() - INTERVAL 2 HOURS
GROUP BY ALL
ORDER BY minute`],
  ['Mean pressure a day', `SELECT day, round(avg(mean_systolic), 1) AS systolic, round(avg(mean_diastolic), 1) AS diastolic
FROM gold.bp_daily
GROUP BY ALL
ORDER BY day`],
  ['Alerts by rule', `SELECT rule, count(DISTINCT alert_id) AS alerts
FROM ops.alert
GROUP BY ALL
ORDER BY alerts DESC`],
  ['Critical readings', `SELECT * FROM gold.critical_recent ORDER BY received_at DESC LIMIT 100`],
  ['Highest at night', `SELECT patient_id, round(avg(systolic_pressure_value), 1) AS systolic, count(*) AS readings
FROM silver.observation
WHERE hour(effective_time + to_minutes(effective_offset_minutes)) NOT BETWEEN 6 AND 21
GROUP BY ALL
HAVING count(*) > 3
ORDER BY systolic DESC
LIMIT 30`],
];

function firstLine(sql: string): string {
  return sql.replace(/--[^\n]*\n/g, '').replace(/\s+/g, ' ').trim();
}

export function Side({schema, past, onText}: {schema: Schema | undefined; past: string[]; onText: (text: string) => void}): JSX.Element {
  return (
    <aside class="card side" aria-label="Statements and tables">
      <h2>To begin with</h2>
      <ul>
        {kExamples.map(([name, sql]) => (
          <li key={name}><button type="button" onClick={() => onText(sql)}>{name}</button></li>
        ))}
      </ul>
      {past.length > 0 && (
        <>
          <h2>Earlier</h2>
          <ul>
            {past.slice(0, 6).map((sql) => (
              <li key={sql}><button type="button" class="mono cut" title={sql} onClick={() => onText(sql)}>{firstLine(sql)}</button></li>
            ))}
          </ul>
        </>
      )}
      <h2>Tables</h2>
      {!schema ? (
        <Skeleton lines={6} />
      ) : (
        schema.tables.map((table) => (
          <details key={table}>
            <summary class="mono">{table}</summary>
            <ul class="columns">
              {(schema.columns.get(table) ?? []).map((c) => (
                <li key={c.name}><span class="mono">{c.name}</span><span class="faint">{c.type.toLowerCase()}</span></li>
              ))}
              <li><button type="button" class="link" onClick={() => onText(`SELECT *\nFROM ${quoteName(table)}\nLIMIT 100`)}>select from it</button></li>
            </ul>
          </details>
        ))
      )}
    </aside>
  );
}
