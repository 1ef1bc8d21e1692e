import type {JSX} from 'preact';

import {gravestFirst, ruleName, valueText, vitalName} from '../../lib/alerts';
import {ago, moment} from '../../lib/format';
import {alertsOn} from '../../lib/live';
import {useNames} from '../../lib/names';
import {useNow} from '../../lib/now';
import {link} from '../../lib/router';
import {useStore} from '../../lib/store';
import {AcknowledgeButton} from '../../ui/acknowledge';
import {Card, SeverityPill} from '../../ui/parts';
import {Empty, Skeleton} from '../../ui/states';

const kShown = 10;

export function OpenAlerts(): JSX.Element {
  const alerts = useStore(alertsOn);
  const now = useNow();
  const shown = [...(alerts ?? [])]
    .sort((a, b) => Number(Boolean(a.acknowledged_at)) - Number(Boolean(b.acknowledged_at)) || gravestFirst(a, b))
    .slice(0, kShown);
  const name = useNames(shown.map((a) => a.patient_id));
  return (
    <Card span={7} flush title="Open alerts" aside={alerts && alerts.length > kShown ? <a class="link" href={link('alerts')}>all {alerts.length}</a> : 'gravest first'}>
      {!alerts ? (
        <div class="pad"><Skeleton lines={6} /></div>
      ) : !alerts.length ? (
        <Empty icon="check" title="No open alert">Readings are judged as they come; what is found appears here at once.</Empty>
      ) : (
        <div class="scroll">
          <table class="alert-table">
            <thead>
              <tr>
                <th>Severity</th>
                <th>Patient</th>
                <th class="num">Reading</th>
                <th class="hide">Why</th>
                <th class="num">Since</th>
                <th class="hide"><span class="sr">Action</span></th>
              </tr>
            </thead>
            <tbody>
              {shown.map((alert) => (
                <tr key={alert.alert_id} class={now - Date.parse(alert.updated_at) < 3000 ? 'flash' : undefined}>
                  <td><SeverityPill alert={alert} /></td>
                  <td><a class="rowlink" href={link('patients', alert.patient_id ? [alert.patient_id] : [])}>{name(alert.patient_id)}</a></td>
                  <td class="num">{valueText(alert)}</td>
                  <td class="hide"><a class="soft why" href={link('alerts', [alert.alert_id])} title={alert.explanation ?? ''}>{alert.diastolic === null ? `${vitalName(alert.vital)} · ` : ''}{ruleName(alert.rule)}{alert.state === 'pending' ? ', to be repeated' : ''}</a></td>
                  <td class="num soft" title={moment(alert.opened_at, now, true)}>{ago(alert.opened_at, now)}</td>
                  <td class="num hide"><AcknowledgeButton alert={alert} who={name(alert.patient_id)} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
