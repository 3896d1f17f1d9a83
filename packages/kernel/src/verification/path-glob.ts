/**
 * Whether a file is meant by a path or glob, as git's `:(glob)` reads it: `*` and `?` stay within a
 * directory, `**` does not, and a pattern that names a directory means all in it.
 */
export function matchesPath(pattern: string, file: string): boolean {
  const plain = pattern.replace(/^\.?\//, '').replace(/\/+$/, '');
  if (plain === '' || plain === '.') return true;
  return new RegExp(`^${sourceOf(plain)}(?:/.*)?$`, 's').test(file);
}

function sourceOf(pattern: string): string {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const rest = pattern.slice(at);
    const char = pattern[at] ?? '';
    if (rest.startsWith('**/')) {
      source += '(?:.*/)?';
      at += 2;
    } else if (rest.startsWith('**')) {
      source += '.*';
      at += 1;
    } else if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else source += char.replace(/[\\^$.|+()[\]{}]/g, '\\$&');
  }
  return source;
}
