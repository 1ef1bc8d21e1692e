// SQL as text: words for highlighting and completion.

export interface Token {
  kind: 'keyword' | 'name' | 'string' | 'number' | 'comment' | 'function' | 'other';
  text: string;
}

const kKeywordText =
  'all and any as asc at between by case cast cross desc describe distinct else end except exists explain false filter from full ' +
  'group having ilike in inner intersect interval is join lateral left like limit not null nulls first last offset on or order ' +
  'outer over partition pivot qualify right rows sample select semi show summarize table then timestamp true union unnest using ' +
  'values version when where window with within';
export const kKeywords = new Set(kKeywordText.split(' '));
export const kFunctions = (
  'abs age approx_quantile arg_max arg_min avg cast ceil coalesce concat_ws count date_diff date_part date_trunc epoch first ' +
  'floor greatest lag last_value lead least length list lower max median min mode now nullif quantile_cont rank replace round ' +
  'row_number split_part stddev strftime string_agg substring sum time_bucket trim upper'
).split(' ');

const kToken = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|\d+(?:\.\d+)?|[A-Za-z_][A-Za-z0-9_]*|\s+|[^\sA-Za-z0-9_]/g;

// The tokens, joined, are the text.
export function tokens(sql: string): Token[] {
  const found: Token[] = [];
  for (const match of sql.matchAll(kToken)) {
    const text = match[0];
    const first = text[0]!;
    let kind: Token['kind'] = 'other';
    if (text.startsWith('--') || text.startsWith('/*')) kind = 'comment';
    else if (first === "'") kind = 'string';
    else if (first === '"') kind = 'name';
    else if (/\d/.test(first)) kind = 'number';
    else if (/[A-Za-z_]/.test(first)) {
      const next = sql.slice(match.index + text.length).trimStart()[0];
      if (kKeywords.has(text.toLowerCase())) kind = 'keyword';
      else kind = next === '(' ? 'function' : 'name';
    }
    found.push({kind, text});
  }
  return found;
}

// silver.patient stays as it is; other parts are quoted.
export function quoteName(name: string): string {
  return name
    .split('.')
    .map((part) => (/^[a-z_][a-z0-9_]*$/.test(part) ? part : `"${part.replace(/"/g, '""')}"`))
    .join('.');
}

export interface Completion {
  text: string;
  kind: 'table' | 'column' | 'keyword' | 'function';
  note: string;
}

export interface Schema {
  tables: string[];
  columns: Map<string, Array<{name: string; type: string}>>;
}

// The word that ends at the cursor: letters, digits, _ and dots.
export function wordBefore(sql: string, cursor: number): string {
  return /[A-Za-z_][A-Za-z0-9_.]*$/.exec(sql.slice(0, cursor))?.[0] ?? '';
}

const kMostCompletions = 9;
const kAfterTable = /\b(from|join|describe|summarize|table)\s+[a-z0-9_.]*$/i;

// Tables behind FROM and JOIN; else columns of the tables the statement names, functions, keywords.
export function complete(sql: string, cursor: number, schema: Schema): Completion[] {
  const word = wordBefore(sql, cursor).toLowerCase();
  const before = sql.slice(0, cursor);
  const wantsTable = kAfterTable.test(before);
  if (!word && !wantsTable) return [];
  const tables = schema.tables.map((text): Completion => ({text, kind: 'table', note: ''}));
  const named = schema.tables.filter((t) => sql.includes(t));
  const columns = new Map<string, Completion>();
  for (const table of named.length ? named : []) {
    for (const c of schema.columns.get(table) ?? []) columns.set(c.name, {text: c.name, kind: 'column', note: c.type.toLowerCase()});
  }
  const last = word.split('.').pop() ?? '';
  const starts = (c: Completion): boolean => c.text.toLowerCase().startsWith(word) || (c.kind === 'table' && (c.text.split('.')[1] ?? '').startsWith(word));
  if (wantsTable) return tables.filter(starts).slice(0, kMostCompletions);
  if (word.includes('.')) {
    const ofTable = tables.filter(starts);
    if (ofTable.length) return ofTable.slice(0, kMostCompletions);
    return [...columns.values()].filter((c) => c.text.startsWith(last)).slice(0, kMostCompletions);
  }
  const others = [
    ...[...kKeywords].map((k): Completion => ({text: k.toUpperCase(), kind: 'keyword', note: ''})),
    ...kFunctions.map((f): Completion => ({text: `${f}(`, kind: 'function', note: ''})),
  ];
  return [...columns.values(), ...others, ...tables]
    .filter(starts)
    .filter((c) => c.text.toLowerCase() !== word)
    .slice(0, kMostCompletions);
}

// What a completion replaces: the whole word, or behind a dot that is no table's the last part.
export function applyCompletion(sql: string, cursor: number, chosen: Completion): {sql: string; cursor: number} {
  const word = wordBefore(sql, cursor);
  const kept = chosen.kind === 'column' && word.includes('.') ? word.lastIndexOf('.') + 1 : 0;
  const from = cursor - word.length + kept;
  return {sql: sql.slice(0, from) + chosen.text + sql.slice(cursor), cursor: from + chosen.text.length};
}
