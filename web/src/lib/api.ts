// Calls of the HTTP API. A failed one throws a Fault with what the server's problem details say.
import {Store} from './store';

export class Fault extends Error {
  constructor(
    readonly title: string,
    detail: string,
    readonly status = 0,
  ) {
    super(detail);
  }
}

// Whether the server wants to know who asks: the frame then shows the login in place of the page.
export const locked = new Store(false);

// The server keeps nothing but a cookie in the browser, which no script can read.
export async function logIn(token: string): Promise<void> {
  const headers = {'Content-Type': 'application/json'};
  await call('/login', {method: 'POST', headers, body: JSON.stringify({token})});
}

export type Cell = string | number | boolean | null;
export interface Column {
  name: string;
  type: string;
}
export interface QueryResult {
  columns: Column[];
  rows: Cell[][];
  row_count: number;
  truncated: boolean;
}
export type Parameter = string | number | boolean | null;

async function faultOf(response: Response): Promise<Fault> {
  const text = await response.text().catch(() => '');
  try {
    const problem = JSON.parse(text) as {title?: string; detail?: string; issue?: Array<{diagnostics?: string}>};
    const detail = problem.detail ?? problem.issue?.[0]?.diagnostics ?? text;
    return new Fault(problem.title ?? response.statusText, detail, response.status);
  } catch {
    return new Fault(response.statusText || `Status ${response.status}`, text, response.status);
  }
}

export async function call(path: string, options: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {cache: 'no-store', credentials: 'same-origin', ...options});
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Fault('No answer', 'The service cannot be reached: is it still running?');
  }
  if (response.status === 401) locked.set(true);
  if (!response.ok) throw await faultOf(response);
  return response;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await call(path, {signal})).json() as Promise<T>;
}

export async function send<T>(path: string, body: unknown, method = 'POST'): Promise<T> {
  const headers = {'Content-Type': 'application/json'};
  return (await call(path, {method, headers, body: JSON.stringify(body)})).json() as Promise<T>;
}

interface SqlOptions {
  limit?: number;
  format?: 'json' | 'csv' | 'ndjson' | 'parquet';
  signal?: AbortSignal;
}

export function sqlResponse(query: string, parameters: Parameter[], options: SqlOptions = {}): Promise<Response> {
  const {signal, ...rest} = options;
  return call('/sql', {
    method: 'POST',
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({query, ...(parameters.length ? {parameters} : {}), ...rest}),
    signal,
  });
}

// The server runs two statements at once; more of ours wait here, so that one page that asks for
// many things is never told that the server is busy.
const kAtOnce = 2;
let running = 0;
const waiting: Array<() => void> = [];

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= kAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

// A statement of a page: rows as objects.
export function rows<T>(query: string, parameters: Parameter[] = [], signal?: AbortSignal, limit?: number): Promise<T[]> {
  return inTurn(async () => {
    signal?.throwIfAborted();
    const result = (await (await sqlResponse(query, parameters, {signal, limit})).json()) as QueryResult;
    return result.rows.map((row) => {
      const named: Record<string, Cell> = {};
      result.columns.forEach((column, i) => (named[column.name] = row[i] ?? null));
      return named as T;
    });
  });
}
