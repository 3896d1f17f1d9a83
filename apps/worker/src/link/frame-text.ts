/** Bounds of the control plane for one JSON text: nesting, and values. */
const depthMax = 64;
const valuesMax = 100_000;

/** Why the control plane would not read this as JSON; undefined when it would. Looks without recursion. */
export function shapeFault(root: object): string | undefined {
  const todo: { readonly value: object; readonly depth: number }[] = [{ value: root, depth: 1 }];
  let values = 1;
  for (let it = todo.pop(); it !== undefined; it = todo.pop()) {
    if (it.depth > depthMax) return `This is nested deeper than ${depthMax} levels.`;
    const inner: unknown[] = Object.values(it.value);
    values += Math.max(1, inner.length);
    if (values > valuesMax) return `This has more than ${valuesMax} values.`;
    for (const value of inner) {
      if (typeof value === 'object' && value !== null) todo.push({ value, depth: it.depth + 1 });
    }
  }
  return undefined;
}

/** What in a JSON text may stand for something that cannot be stored; mostly there is nothing. */
const suspicious = /\\u0000|\\ud[89a-f]|__proto__/;

/**
 * A frame as text. U+0000 and half surrogate pairs, which come out of agents' output and cannot be
 * stored, become U+FFFD; a name `__proto__` is left out. The frame must have no fault of shape.
 */
export function encodeFrame(frame: object): string {
  const text = JSON.stringify(frame);
  return suspicious.test(text) ? JSON.stringify(storable(frame)) : text;
}

function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => name !== '__proto__');
  return Object.fromEntries(entries.map(([name, it]) => [storableText(name), storable(it)]));
}

function storableText(text: string): string {
  return text.replaceAll(/\0|\p{Surrogate}/gu, '\uFFFD');
}
