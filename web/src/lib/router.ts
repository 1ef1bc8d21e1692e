// Pages are parts of the address behind `#`, so that the server needs to know only one:
// #/patients/pat-000001?range=24h
import {useMemo} from 'preact/hooks';

import {Store, useStore} from './store';

export interface Place {
  page: string;
  rest: string[];
  query: URLSearchParams;
}

const hash = new Store(location.hash);
window.addEventListener('hashchange', () => hash.set(location.hash));

export function parsePlace(text: string): Place {
  const [path = '', query = ''] = text.replace(/^#\/?/, '').split('?', 2);
  const [page, ...rest] = path.split('/').filter(Boolean).map(decodeURIComponent);
  return {page: page ?? 'overview', rest, query: new URLSearchParams(query)};
}

export function usePlace(): Place {
  const text = useStore(hash);
  return useMemo(() => parsePlace(text), [text]);
}

export function link(page: string, rest: string[] = [], query: Record<string, string | undefined> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const tail = given.length ? `?${new URLSearchParams(given).toString()}` : '';
  return `#/${[page, ...rest].map(encodeURIComponent).join('/')}${tail}`;
}

export function go(to: string): void {
  location.hash = to;
}

// Another state of the same page: no new entry in the browser's history.
export function replace(to: string): void {
  window.history.replaceState(null, '', to);
  hash.set(to);
}
