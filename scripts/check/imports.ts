/** One import of a file, as written. */
export interface ImportLine {
  readonly specifier: string;
  readonly line: number;
  /** `type` is erased by the compiler, `dynamic` is `import('…')` at run time. */
  readonly kind: 'static' | 'type' | 'dynamic';
}

const patterns: readonly { readonly kind: ImportLine['kind']; readonly pattern: RegExp }[] = [
  {
    kind: 'type',
    pattern: /^[ \t]*(?:import|export)\s+type\b[^'"`;]*?\bfrom\s*['"]([^'"\n]+)['"]/gm,
  },
  {
    kind: 'static',
    pattern: /^[ \t]*(?:import|export)\b(?!\s+type\b)[^'"`;()]*?\bfrom\s*['"]([^'"\n]+)['"]/gm,
  },
  { kind: 'static', pattern: /^[ \t]*import\s*['"]([^'"\n]+)['"]/gm },
  { kind: 'type', pattern: /\btypeof\s+import\(\s*['"]([^'"\n]+)['"]/g },
  { kind: 'dynamic', pattern: /(?<!\btypeof\s+)\bimport\(\s*['"]([^'"\n]+)['"]/g },
];

/**
 * Imports of a TypeScript or JavaScript file in the formatter's layout. The native compiler has no
 * API to ask, and the formatter puts every import at the start of a line, so patterns are enough.
 */
export function importsOf(text: string): readonly ImportLine[] {
  const code = withoutCommentLines(text);
  return patterns
    .flatMap(({ kind, pattern }) =>
      [...code.matchAll(pattern)].map((match) => ({
        specifier: match[1] ?? '',
        line: lineOf(code, match.index + match[0].length),
        kind,
      })),
    )
    .toSorted((left, right) => left.line - right.line);
}

/** Blanks comment lines but keeps their line breaks, so that line numbers stay true. */
function withoutCommentLines(text: string): string {
  return text
    .replaceAll(/^[ \t]*\/\*[^]*?\*\//gm, (comment) => comment.replaceAll(/[^\n]/g, ' '))
    .replaceAll(/^[ \t]*\/\/.*$/gm, '');
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
