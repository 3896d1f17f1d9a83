const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time in at most two units: `0 s`, `42 s`, `3 min 05 s`, `2 h 10 min`, `4 d 3 h`. */
export function durationText(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / SECOND)) * SECOND;
  if (whole < MINUTE) return `${whole / SECOND} s`;
  if (whole < HOUR) return twoUnits(whole, MINUTE, 'min', SECOND, 's');
  if (whole < DAY) return twoUnits(whole, HOUR, 'h', MINUTE, 'min');
  return twoUnits(whole, DAY, 'd', HOUR, 'h');
}

function twoUnits(ms: number, big: number, bigName: string, small: number, smallName: string) {
  const rest = Math.floor((ms % big) / small);
  const head = `${Math.floor(ms / big)} ${bigName}`;
  return rest === 0 ? head : `${head} ${String(rest).padStart(2, '0')} ${smallName}`;
}

/** How long ago, or in how long: `now`, `42 s ago`, `in 3 min`, `2 d ago`. One unit. */
export function relativeText(atMs: number, nowMs: number): string {
  const distance = Math.abs(nowMs - atMs);
  if (distance < 2 * SECOND) return 'just now';
  const text = oneUnit(distance);
  return atMs > nowMs ? `in ${text}` : `${text} ago`;
}

function oneUnit(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

/** An instant in full, in the reader's zone and with it. */
export function absoluteText(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime())
    ? iso
    : new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' }).format(date);
}

/** Time of day with seconds. */
export function clockText(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Money from a decimal string: `$0.00`, `$12.40`, `<$0.01`. */
export function usdText(usd: string): string {
  const value = Number(usd);
  if (!Number.isFinite(value)) return `$${usd}`;
  if (value > 0 && value < 0.01) return '<$0.01';
  return `$${value.toFixed(2)}`;
}

/** A size in bytes, with a unit of thousands. */
export function bytesText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  if (bytes < 1_000_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`;
  return `${(bytes / 1_000_000_000).toFixed(1)} GB`;
}

/** A count with thin spaces between thousands. */
export function countText(count: number): string {
  return count.toLocaleString('en').replaceAll(',', '\u202f');
}

/** An id short enough for a row: prefix and the last characters, which differ between neighbours. */
export function shortId(id: string): string {
  const generated = /^([a-z]+)_[0-9a-hjkmnp-tv-z]{26}$/.exec(id);
  return generated === null ? id : `${generated[1]}_…${id.slice(-6)}`;
}

/** A branch short enough to read: generated ids in it are cut. */
export function shortBranch(branch: string): string {
  return branch.split('/').map(shortId).join('/');
}

/** A commit short enough to read. */
export function shortCommit(commit: string): string {
  return /^[0-9a-f]{40,64}$/.test(commit) ? commit.slice(0, 10) : commit;
}

/** `a`, `a and b`, `a, b and c`, `a, b and 4 more`. */
export function listText(items: readonly string[], max = 3): string {
  if (items.length === 0) return '';
  if (items.length === 1) return items[0] ?? '';
  const shown = items.length > max ? items.slice(0, max - 1) : items.slice(0, -1);
  const last = items.length > max ? `${items.length - shown.length} more` : (items.at(-1) ?? '');
  return `${shown.join(', ')} and ${last}`;
}

/** `1 task`, `2 tasks`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
