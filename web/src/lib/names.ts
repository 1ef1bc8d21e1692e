// Names of patients for what only has their ids. Asked for in one statement, once a patient.
import {useEffect} from 'preact/hooks';

import {rows} from './api';
import {Store, useStore} from './store';

const names = new Store<ReadonlyMap<string, string>>(new Map());
const asked = new Set<string>();
const kMostAtOnce = 200;

export function fullName(given: string | null | undefined, family: string | null | undefined): string {
  return [given, family].filter(Boolean).join(' ');
}

async function ask(ids: string[]): Promise<void> {
  ids.forEach((id) => asked.add(id));
  try {
    const places = ids.map((_, i) => `$${i + 1}`).join(', ');
    const found = await rows<{id: string; given_name: string | null; family_name: string | null}>(
      `SELECT id, given_name, family_name FROM silver.patient WHERE retracted_at IS NULL AND id IN (${places})`,
      ids,
    );
    names.update((known) => new Map([...known, ...found.map((p) => [p.id, fullName(p.given_name, p.family_name)] as const)]));
  } catch {
    ids.forEach((id) => asked.delete(id)); // shown by their ids, and asked for again with the next change
  }
}

export function learnNames(known: Array<{id: string; name: string}>): void {
  known.forEach(({id}) => asked.add(id));
  names.update((before) => new Map([...before, ...known.filter((k) => k.name).map((k) => [k.id, k.name] as const)]));
}

// name(id): the patient's name, or the id while it is not known.
export function useNames(ids: ReadonlyArray<string | null>): (id: string | null) => string {
  const known = useStore(names);
  const wanted = [...new Set(ids)].filter((id): id is string => id !== null && !asked.has(id)).slice(0, kMostAtOnce);
  const key = wanted.join(' ');
  useEffect(() => {
    if (wanted.length) void ask(wanted);
  }, [key]);
  return (id) => (id === null ? 'Unknown patient' : (known.get(id) ?? id));
}
