import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { SourceFile } from './files.ts';

/** A page has one title: search results, tables of contents and readers rely on it. */
export function titleFaults(files: readonly SourceFile[]): readonly string[] {
  return pagesOf(files).flatMap(({ path, text }) => {
    const titles = withoutCode(text)
      .split('\n')
      .filter((line) => /^# \S/.test(line)).length;
    return titles === 1 ? [] : [`${path}:1: has ${titles} first-level headings, wants one`];
  });
}

/** Relative links of all pages that lead nowhere; a missing heading counts too. */
export function linkFaults(files: readonly SourceFile[], root: string): readonly string[] {
  const pages = new Map(files.map((file) => [file.path, file.text]));
  return pagesOf(files).flatMap(({ path, text }) =>
    withoutCode(text)
      .split('\n')
      .flatMap((line, index) =>
        linksOf(line).flatMap((link) => {
          const why = whyDead(link, path, pages, root);
          return why === undefined ? [] : [`${path}:${index + 1}: ${why}`];
        }),
      ),
  );
}

function linksOf(line: string): readonly string[] {
  return [...line.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)|\bsrc="([^"]+)"/g)]
    .map((match) => match[1] ?? match[2] ?? '')
    .filter((link) => !/^(?:[a-z][a-z+.-]*:|\/\/)/i.test(link));
}

function whyDead(
  link: string,
  from: string,
  pages: ReadonlyMap<string, string>,
  root: string,
): string | undefined {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? from : posix.normalize(posix.join(posix.dirname(from), file));
  if (target.startsWith('..')) return `${link} leaves the project`;
  if (!existsSync(join(root, target)) && !pages.has(target)) return `${link} does not exist`;
  const text = pages.get(target);
  if (anchor === undefined || text === undefined || !target.endsWith('.md')) return undefined;
  return anchorsOf(text).has(anchor) ? undefined : `${link}: no such heading`;
}

/** Anchors as GitHub makes them: lower case, punctuation dropped, spaces to dashes, repeats numbered. */
function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const match of withoutCode(text).matchAll(/^#{1,6} +(.+?)\s*$/gm)) {
    const base = (match[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = base;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${base}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Blanks fenced blocks, and keeps the line breaks so that line numbers stay true. */
function withoutCode(text: string): string {
  return text.replaceAll(/^([ \t]*)(```+|~~~+)[^]*?^\1\2[^\n]*$/gm, (block) =>
    block.replaceAll(/[^\n]/g, ''),
  );
}

function pagesOf(files: readonly SourceFile[]): readonly SourceFile[] {
  return files.filter(({ path }) => path.endsWith('.md') && !path.includes('/fixtures/'));
}
