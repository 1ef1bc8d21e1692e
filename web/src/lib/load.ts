// useLoad: data of a page that is asked for once or again and again.
//
// What was there stays while it is asked for anew and when asking fails, so nothing jumps; a page
// that is opened again begins with what it showed last. Hidden pages ask for nothing.
import {useCallback, useEffect, useRef, useState} from 'preact/hooks';

import {Fault} from './api';

export interface Loaded<T> {
  data?: T;
  fault?: Fault;
  faultSince?: number;
  at?: number;
  again: () => void;
}

type Kept = {data: unknown; at: number};
const kept = new Map<string, Kept>();
const kMostKept = 200;

function keep(key: string, data: unknown): void {
  kept.delete(key);
  kept.set(key, {data, at: Date.now()});
  if (kept.size > kMostKept) kept.delete(kept.keys().next().value as string);
}

export function useLoad<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  everySeconds = 0,
): Loaded<T> {
  const [state, setState] = useState<{key: string; fault?: Fault; faultSince?: number; turn: number}>({key, turn: 0});
  const latest = useRef(load);
  latest.current = load;
  const restart = useRef<() => void>(() => {});

  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    let busy = false;
    const once = async (): Promise<void> => {
      if (busy || abort.signal.aborted) return;
      clearTimeout(timer);
      busy = true;
      try {
        const data = await latest.current(abort.signal);
        if (abort.signal.aborted) return;
        keep(key, data);
        setState((s) => ({key, turn: s.turn + 1}));
      } catch (error) {
        if (abort.signal.aborted) return;
        const fault = error instanceof Fault ? error : new Fault('Error', String(error));
        setState((s) => ({key, fault, faultSince: s.key === key && s.faultSince ? s.faultSince : Date.now(), turn: s.turn + 1}));
      } finally {
        busy = false;
      }
      if (everySeconds > 0 && !abort.signal.aborted) {
        timer = window.setTimeout(() => !document.hidden && void once(), everySeconds * 1000);
      }
    };
    const shown = (): void => {
      if (!document.hidden && everySeconds > 0) void once();
    };
    restart.current = () => void once();
    document.addEventListener('visibilitychange', shown);
    void once();
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', shown);
    };
  }, [key, everySeconds]);

  const again = useCallback(() => restart.current(), []);
  const now = kept.get(key);
  return {
    data: now?.data as T | undefined,
    at: now?.at,
    fault: state.key === key ? state.fault : undefined,
    faultSince: state.key === key ? state.faultSince : undefined,
    again,
  };
}
