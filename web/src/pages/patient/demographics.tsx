import type {JSX} from 'preact';

import {rows} from '../../lib/api';
import {day, moment} from '../../lib/format';
import {useLoad} from '../../lib/load';
import {Card} from '../../ui/parts';
import {Empty, Loading} from '../../ui/states';

interface Person {
  birth_date: string | null;
  line: string | null;
  postal_code: string | null;
  city: string | null;
  state: string | null;
  country: string | null;
  mobile_phone: string | null;
  work_phone: string | null;
  email: string | null;
  mrn: string | null;
  active: boolean | null;
  deceased: boolean | null;
  deceased_time: string | null;
  source: string | null;
  version_id: string | null;
  last_updated: string | null;
}

async function load(id: string, signal: AbortSignal): Promise<Person | null> {
  const found = await rows<Person>(
    `SELECT birth_date, line, postal_code, city, state, country, mobile_phone, work_phone, email, mrn, active, deceased,
       deceased_time, source, version_id, last_updated
     FROM silver.patient WHERE id = $1 AND retracted_at IS NULL LIMIT 1`,
    [id],
    signal,
  );
  return found[0] ?? null;
}

function facts(p: Person): Array<[string, string | null]> {
  const birth = p.birth_date ? new Date(p.birth_date) : null;
  return [
    ['Born', birth ? `${day(birth)} ${birth.getFullYear()}` : null],
    ['Record number', p.mrn],
    ['Address', [p.line, [p.postal_code, p.city].filter(Boolean).join(' '), p.state, p.country].filter(Boolean).join(', ')],
    ['Mobile', p.mobile_phone],
    ['Work', p.work_phone],
    ['E-mail', p.email],
    ['State', p.deceased || p.deceased_time ? `deceased${p.deceased_time ? ` ${moment(p.deceased_time)}` : ''}` : p.active === false ? 'inactive' : null],
    ['Version', [p.version_id, moment(p.last_updated), p.source].filter((x) => x && x !== '–').join(' · ')],
  ];
}

export function Demographics({id}: {id: string}): JSX.Element {
  const person = useLoad(`person ${id}`, (signal) => load(id, signal));
  return (
    <Card title="Demographics">
      <Loading of={person} lines={5}>
        {(data) =>
          data === null ? (
            <Empty icon="patients" title="No patient record">Readings name this patient; the record has not come.</Empty>
          ) : (
            <dl class="kv">
              {facts(data).filter(([, value]) => value).map(([name, value]) => (
                <>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </>
              ))}
            </dl>
          )
        }
      </Loading>
    </Card>
  );
}
