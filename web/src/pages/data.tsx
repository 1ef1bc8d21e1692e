// What lies in the lake: tables, what came in, what could not be used.
import type {JSX} from 'preact';

import {link} from '../lib/router';
import {LedgerSection} from './data/ledger';
import {QuarantineSection} from './data/quarantine';
import {TableDetailSection} from './data/table_detail';
import {TablesSection} from './data/tables';

const kSections = [
  {section: 'tables', title: 'Tables'},
  {section: 'ledger', title: 'Ledger'},
  {section: 'quarantine', title: 'Quarantine'},
] as const;

export function DataPage({section, item, query}: {section: string; item: string | null; query: URLSearchParams}): JSX.Element {
  return (
    <>
      <nav class="tabs" aria-label="Parts of the data">
        {kSections.map((s) => (
          <a key={s.section} href={link('data', [s.section])} aria-current={s.section === section ? 'page' : undefined}>
            {s.title}
          </a>
        ))}
      </nav>
      {section === 'ledger' ? (
        <LedgerSection query={query} />
      ) : section === 'quarantine' ? (
        <QuarantineSection query={query} chosen={item} />
      ) : item ? (
        <TableDetailSection name={item} />
      ) : (
        <TablesSection />
      )}
    </>
  );
}
