import type {JSX} from 'preact';

import {isOn, newestFirst, ruleName, valueText, vitalName} from '../../lib/alerts';
import {ago, moment, plural} from '../../lib/format';
import type {Loaded} from '../../lib/load';
import {useNow} from '../../lib/now';
import {link} from '../../lib/router';
import type {Alert} from '../../lib/types';
import {AcknowledgeButton} from '../../ui/acknowledge';
import {Card, SeverityPill} from '../../ui/parts';
import {Empty, Loading} from '../../ui/states';

const kShown = 8;

function state(alert: Alert): string {
  if (alert.state === 'pending') return 'to be repeated';
  if (alert.closed_at) return `${alert.state} ${moment(alert.closed_at)}`;
  return alert.state;
}

export function PatientAlerts({alerts, name}: {alerts: Loaded<Alert[]>; name: string}): JSX.Element {
  const now = useNow();
  const sorted = [...(alerts.data ?? [])].sort((a, b) => Number(isOn(b)) - Number(isOn(a)) || newestFirst(a, b));
  return (
    <Card title="Alerts" aside={alerts.data && plural(sorted.length, 'alert')}>
      <Loading of={alerts} lines={5}>
        {() =>
          sorted.length === 0 ? (
            <Empty icon="check" title="No alert so far" />
          ) : (
            <ul class="alert-list">
              {sorted.slice(0, kShown).map((alert) => (
                <li key={alert.alert_id}>
                  <SeverityPill alert={alert} />
                  <div>
                    <a class="rowlink" href={link('alerts', [alert.alert_id])}>{ruleName(alert.rule)}</a><span class="soft"> · {vitalName(alert.vital)} {valueText(alert, true)}</span>
                    <p>{alert.explanation}</p>
                    <div class="sub">{state(alert)} · rule {alert.rule}, {alert.rule_version}</div>
                  </div>
                  <div class="end">
                    <span title={moment(alert.opened_at, now, true)}>{ago(alert.opened_at, now)}</span>
                    <AcknowledgeButton alert={alert} who={name} />
                  </div>
                </li>
              ))}
            </ul>
          )
        }
      </Loading>
    </Card>
  );
}
