/** How long ago, in one unit: `now`, `12s ago`, `3m ago`, `5h ago`, `2d ago`. Empty for null. */
export function ago(instant: string | null, nowMs: number): string {
  if (instant === null) return '';
  const ms = nowMs - Date.parse(instant);
  return ms < 1_000 ? 'now' : `${duration(ms)} ago`;
}

/** A length of time in one or two units: `0.4s`, `12s`, `3m 5s`, `2h 10m`, `3d 4h`. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(Math.max(0, ms) / 1_000).toFixed(1).replace(/\.0$/, '')}s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return twoUnits(Math.floor(seconds / 60), 'm', seconds % 60, 's');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1_440) return twoUnits(Math.floor(minutes / 60), 'h', minutes % 60, 'm');
  return twoUnits(Math.floor(minutes / 1_440), 'd', Math.floor((minutes % 1_440) / 60), 'h');
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit} ${small}${smallUnit}`;
}
