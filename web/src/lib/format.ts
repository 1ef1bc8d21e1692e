// Numbers, times and sizes as people read them.

const kMinute = 60, kHour = 3600, kDay = 86400, kYear = 365.25 * kDay;

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : value.toLocaleString('en-US');
}

export function decimal(value: number | null | undefined, digits = 1): string {
  return value === null || value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits);
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let size = value, unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

// [value, unit] of a span: "5 ms", "0.6 s", "4 min", "3 h", "2 d".
export function spanParts(seconds: number): [string, string] {
  const s = Math.max(0, seconds);
  if (s < 0.1) return [String(Math.round(s * 1000)), 'ms'];
  if (s < 10) return [s.toFixed(1), 's'];
  if (s < kMinute * 1.5) return [String(Math.round(s)), 's'];
  if (s < kHour * 1.5) return [String(Math.round(s / kMinute)), 'min'];
  if (s < kDay * 2) return [String(Math.round(s / kHour)), 'h'];
  return [String(Math.round(s / kDay)), 'd'];
}

export function span(seconds: number): string {
  return spanParts(seconds).join(' ');
}

// "3 h 12 min"
export function uptime(seconds: number): string {
  const s = Math.floor(seconds);
  if (s < kMinute) return `${s} s`;
  if (s < kHour) return `${Math.floor(s / kMinute)} min`;
  if (s < kDay) return `${Math.floor(s / kHour)} h ${Math.floor((s % kHour) / kMinute)} min`;
  return `${Math.floor(s / kDay)} d ${Math.floor((s % kDay) / kHour)} h`;
}

// How long ago: "now", "42 s", "6 min", "3 y". Whole units only, so that it seldom changes.
export function ago(time: string | number | null | undefined, now: number): string {
  if (time === null || time === undefined) return '–';
  const seconds = (now - (typeof time === 'number' ? time : Date.parse(time))) / 1000;
  if (Number.isNaN(seconds)) return '–';
  if (seconds < 5) return 'now';
  if (seconds < kMinute) return `${Math.floor(seconds)} s`;
  if (seconds < kHour) return `${Math.floor(seconds / kMinute)} min`;
  if (seconds < 2 * kDay) return `${Math.floor(seconds / kHour)} h`;
  if (seconds < 2 * kYear) return `${Math.floor(seconds / kDay)} d`;
  return `${Math.floor(seconds / kYear)} y`;
}

const two = (n: number): string => String(n).padStart(2, '0');
const kMonths = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function clock(time: string | number | Date, seconds = false): string {
  const d = new Date(time);
  return `${two(d.getHours())}:${two(d.getMinutes())}${seconds ? `:${two(d.getSeconds())}` : ''}`;
}

export function day(time: string | number | Date): string {
  const d = new Date(time);
  return `${d.getDate()} ${kMonths[d.getMonth()]}`;
}

// "10:24" today, else "21 Nov 22:04", else "3 Feb 2024".
export function moment(time: string | number | null | undefined, now = Date.now(), seconds = false): string {
  if (time === null || time === undefined) return '–';
  const d = new Date(time), n = new Date(now);
  if (Number.isNaN(d.getTime())) return String(time);
  if (d.toDateString() === n.toDateString()) return clock(d, seconds);
  if (Math.abs(n.getTime() - d.getTime()) < 300 * kDay * 1000) return `${day(d)} ${clock(d, seconds)}`;
  return `${day(d)} ${d.getFullYear()}`;
}

export function utc(time: string | null | undefined): string {
  return time ? time.replace('T', ' ').replace(/\.?\d*Z$/, ' UTC') : '';
}

export function age(birthDate: string | null | undefined, now: number): number | null {
  if (!birthDate) return null;
  const born = new Date(birthDate), today = new Date(now);
  if (Number.isNaN(born.getTime())) return null;
  const had = today.getMonth() > born.getMonth() || (today.getMonth() === born.getMonth() && today.getDate() >= born.getDate());
  return today.getFullYear() - born.getFullYear() - (had ? 0 : 1);
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

export function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  return ((words[0]?.[0] ?? '') + (words.length > 1 ? words[words.length - 1]![0] : '')).toUpperCase();
}
