// What could not be used: why, where, and another try once the reason is mended.
import type {JSX} from 'preact';
import {useState} from 'preact/hooks';

import {said} from '../../lib/act';
import {get, send} from '../../lib/api';
import {count, moment, plural} from '../../lib/format';
import {useLoad} from '../../lib/load';
import {useNow} from '../../lib/now';
import {link, replace} from '../../lib/router';
import type {QuarantineRow, ReplayOutcome} from '../../lib/types';
import {tell} from '../../shell/toasts';
import {Dialog} from '../../ui/dialog';
import {Icon} from '../../ui/icons';
import {Pill} from '../../ui/parts';
import {Empty, Loading} from '../../ui/states';

interface Page {
  quarantine: QuarantineRow[];
  reasons: Array<{reason: string; waiting: number; replayed: number}>;
  next: string | null;
}

function words(reason: string): string {
  return reason.replace(/[-_]/g, ' ');
}

async function replay(what: {id?: string; reason?: string}): Promise<boolean> {
  try {
    const o = await send<ReplayOutcome>('/quarantine/replay', what);
    const taken = o.selected - o.still_refused;
    tell(o.still_refused ? 'crit' : 'ok', `${plural(o.selected, 'record')} tried again: ${count(taken)} taken in, ${count(o.still_refused)} still refused.`);
    return true;
  } catch (error) {
    tell('crit', <><b>Not tried again.</b> {said(error)}</>);
    return false;
  }
}

function pretty(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return payload;
  }
}

// Lines that hold the last part of the element path are marked.
function Payload({text, path}: {text: string; path: string | null}): JSX.Element {
  const key = path?.split('.').pop()?.replace(/\[\d+\]$/, '');
  return (
    <pre class="payload" tabIndex={0} aria-label="Payload">
      {pretty(text).split('\n').map((line, i) => (
        <span key={i} class={key && line.includes(`"${key}"`) ? 'mark' : undefined}>{line}{'\n'}</span>
      ))}
    </pre>
  );
}

function Record({id, onClose, onReplayed}: {id: string; onClose: () => void; onReplayed: () => void}): JSX.Element {
  const record = useLoad(`quarantine ${id}`, (signal) => get<QuarantineRow>(`/quarantine/${encodeURIComponent(id)}`, signal));
  const [busy, setBusy] = useState(false);
  return (
    <Dialog title="Quarantined record" wide onClose={onClose}>
      <div class="body">
        <Loading of={record}>
          {(r) => (
            <>
              <p><Pill tone="high">{words(r.reason)}</Pill> <b>{r.message}</b></p>
              <dl class="kv left">
                <dt>Position</dt>
                <dd class="mono">{r.position}</dd>
                {r.element_path && <><dt>Element</dt><dd class="mono">{r.element_path}</dd></>}
                <dt>Source</dt>
                <dd>{r.source} · {r.run}</dd>
                <dt>Received</dt>
                <dd>{moment(r.received_at, Date.now(), true)}{r.replayed_at && `, replayed ${moment(r.replayed_at)}`}</dd>
              </dl>
              <Payload text={r.payload ?? ''} path={r.element_path} />
              <div class="actions">
                <button type="button" class="button" onClick={onClose}>Close</button>
                <button type="button" class="button is-main" disabled={busy || r.replayed_at !== null} onClick={() => {
                  setBusy(true);
                  void replay({id}).then((done) => {
                    setBusy(false);
                    if (done) onReplayed();
                  });
                }}>
                  <Icon name="replay" />Try again
                </button>
              </div>
            </>
          )}
        </Loading>
      </div>
    </Dialog>
  );
}

export function QuarantineSection({query, chosen}: {query: URLSearchParams; chosen: string | null}): JSX.Element {
  const reason = query.get('reason') ?? '';
  const page = useLoad(`quarantine list ${reason}`, (signal) => get<Page>(`/quarantine?limit=200${reason ? `&reason=${encodeURIComponent(reason)}` : ''}`, signal), 10);
  const [busy, setBusy] = useState(false);
  const now = useNow();
  const to = (id?: string, of = reason): string => link('data', id ? ['quarantine', id] : ['quarantine'], {reason: of});
  const reasons = page.data?.reasons ?? [];
  const waiting = reasons.filter((r) => !reason || r.reason === reason).reduce((sum, r) => sum + r.waiting, 0);
  return (
    <>
      <div class="bar-row">
        <div class="chips" role="group" aria-label="Reason">
          <button type="button" aria-pressed={!reason} onClick={() => replace(to(undefined, ''))}>All <b>{count(reasons.reduce((n, r) => n + r.waiting, 0))}</b></button>
          {reasons.map((r) => (
            <button key={r.reason} type="button" aria-pressed={r.reason === reason} title={`${plural(r.replayed, 'record')} replayed`} onClick={() => replace(to(undefined, r.reason))}>
              {words(r.reason)} <b>{count(r.waiting)}</b>
            </button>
          ))}
        </div>
        <button type="button" class="button push" disabled={busy || waiting === 0} onClick={() => {
          setBusy(true);
          void replay(reason ? {reason} : {}).then(() => {
            setBusy(false);
            page.again();
          });
        }}>
          <Icon name="replay" />{busy ? 'Trying again' : `Try ${reason ? 'these' : 'all'} again`}
        </button>
      </div>
      <section class="card flush list" aria-label="Quarantined records">
        <Loading of={page} lines={10}>
          {(data) =>
            data.quarantine.length === 0 ? (
              <Empty icon="check" title="Nothing in quarantine">A record that cannot be used is kept here, with its bytes, the reason and the place.</Empty>
            ) : (
              <div class="scroll">
                <table>
                  <thead>
                    <tr>
                      <th>Reason</th>
                      <th>What is wrong</th>
                      <th class="hide">Element</th>
                      <th class="hide">Position</th>
                      <th class="num">Received</th>
                    </tr>
                  </thead>
                  <tbody>
                    {data.quarantine.map((r) => (
                      <tr key={r.id} class="is-link" onClick={(event) => !(event.target as Element).closest('a') && replace(to(r.id))}>
                        <td><Pill tone={r.replayed_at ? 'mute' : 'high'}>{words(r.reason)}</Pill></td>
                        <td><a class="rowlink cut message" href={to(r.id)}>{r.message}</a></td>
                        <td class="hide mono soft cut path" title={r.element_path ?? ''}>{r.element_path ?? ''}</td>
                        <td class="hide mono soft cut path" title={r.position}>{r.position}</td>
                        <td class="num soft">{moment(r.received_at, now)}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )
          }
        </Loading>
      </section>
      {chosen && <Record id={chosen} onClose={() => replace(to())} onReplayed={() => {
        replace(to());
        page.again();
      }} />}
    </>
  );
}
