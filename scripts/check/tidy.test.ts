import { describe, expect, test } from 'vitest';
import { projectFiles, root } from './files.ts';
import { completed, missingOptionals, platformEntry } from './lockfile.ts';
import { linkFaults, titleFaults } from './pages.ts';
import {
  bannedText,
  completeLockfile,
  consecutiveMigrations,
  decisionRecords,
  documentedDependencies,
  exactVersions,
  focusedTests,
  leftoverMarkers,
  linesMax,
  lockfileHosts,
  longFiles,
} from './tidy.ts';

const files = projectFiles();

/** Files allowed to be long, each with its reason. The list may only shrink without a word. */
const longFileExemptions = new Map<string, string>([]);

describe('the project', () => {
  test('has files to check', () => {
    expect(files.length).toBeGreaterThan(50);
  });

  test.each([
    ['holds no leftover markers', leftoverMarkers],
    ['holds no focused tests', focusedTests],
    ['names no foreign places or registry hosts', bannedText],
    ['has a lockfile without hosts', lockfileHosts],
    ['has a lockfile with the packages of every platform', completeLockfile],
    ['pins exact versions', exactVersions],
    ['says of every dependency why it is there', documentedDependencies],
    ['numbers its migrations without gaps', consecutiveMigrations],
    ['names and lists its decision records', decisionRecords],
    ['gives every page one title', titleFaults],
  ])('%s', (_, check) => {
    expect(check(files)).toEqual([]);
  });

  test('has no dead links between its pages', () => {
    expect(linkFaults(files, root)).toEqual([]);
  });

  test(`has no file beyond ${linesMax} lines but the exempt ones`, () => {
    expect(longFiles(files, longFileExemptions)).toEqual([]);
  });
});

describe('a planted fault is found', () => {
  const file = (path: string, text: string) => ({ path, text });
  const host = ['https://registry', 'npm' + 'js', 'org'].join('.');

  test('leftover marker', () => {
    const text = `const a = 1;\n// ${'FIX'}${'ME'}: later\n`;
    expect(leftoverMarkers([file('packages/a.ts', text)])).toEqual([
      'packages/a.ts:2: leftover marker',
    ]);
    expect(leftoverMarkers([file('a.ts', `mkdtemp('a-${'X'.repeat(6)}')`)])).toEqual([]);
  });

  test.each([`test.${'only'}('x')`, `describe.${'only'}('x')`, `it.concurrent.${'only'}(`])(
    'focused test: %s',
    (text) => {
      expect(focusedTests([file('packages/a.test.ts', text)])).toHaveLength(1);
    },
  );

  test.each([
    `see ${['', 'work', 'x'].join('/')}`,
    `// ${'DESIGN'} 6.4 says so`,
    `as in research/${'style'}.md`,
    `see ${['..', 'shared', 'NOTES.md'].join('/')}`,
    host,
    `https://${['registry', 'example-mirror', 'com'].join('.')}/x`,
  ])('banned text: %s', (text) => {
    expect(bannedText([file('docs/a.md', text)])).toHaveLength(1);
  });

  test('ordinary words are not banned text', () => {
    const text = "registry.register(x); `${dir}/work/run` './work/x' npm docs/design.md";
    expect(bannedText([file('a.ts', text)])).toEqual([]);
  });

  test('lockfile with a host', () => {
    const text = `"resolved": "packages/kernel",\n"resolved": "${host}/a/-/a-1.0.0.tgz"`;
    expect(lockfileHosts([file('package-lock.json', text)])).toEqual([
      'package-lock.json:2: the lockfile names a host',
    ]);
  });

  test('lockfile without a platform package, and what completes it', () => {
    const packages = {
      '': {},
      'node_modules/a': {
        dev: true,
        optionalDependencies: { '@a/linux-x64-musl': '1.0.0', '@a/darwin-arm64': '1.0.0' },
      },
      'node_modules/a/node_modules/@a/darwin-arm64': { version: '1.0.0' },
    };
    const lockfile = file('package-lock.json', JSON.stringify({ packages }));
    expect(completeLockfile([lockfile])).toEqual([
      expect.stringContaining('lacks @a/linux-x64-musl'),
    ]);
    expect(missingOptionals(completed(packages))).toEqual([]);
    expect(completed(packages)).toHaveProperty(['node_modules/@a/linux-x64-musl'], {
      version: '1.0.0',
      cpu: ['x64'],
      dev: true,
      libc: ['musl'],
      optional: true,
      os: ['linux'],
    });
    const odd = { neededBy: '', name: 'fast-thing', version: '1.0.0' };
    expect(() => platformEntry(odd, false)).toThrow('by hand');
  });

  test('version range, undocumented and vanished dependency', () => {
    const manifest = file('packages/a/package.json', '{"dependencies":{"ws":"^8.0.0"}}');
    const page = file('docs/dependencies.md', '| `pg` | PostgreSQL |');
    expect(exactVersions([manifest])).toHaveLength(1);
    expect(documentedDependencies([manifest, page])).toEqual([
      'docs/dependencies.md:1: ws has no line',
      'docs/dependencies.md:1: pg is not used',
    ]);
  });

  test('gap and repeat in migrations', () => {
    const migration = (name: string) => file(`packages/store/migrations/${name}`, '');
    expect(consecutiveMigrations([migration('0001-a.sql'), migration('0002-b.sql')])).toEqual([]);
    expect(consecutiveMigrations([migration('0001-a.sql'), migration('0003-b.sql')])).toHaveLength(
      1,
    );
    expect(consecutiveMigrations([migration('0001-a.sql'), migration('0001-b.sql')])).toHaveLength(
      1,
    );
  });

  test('decision record with a bad name, a taken number, or not in the index', () => {
    const index = file('docs/adr/README.md', '[a](0001-a.md) [b](0001-b.md) [c](note.md)');
    const records = ['0001-a.md', '0001-b.md', 'note.md', '0002-d.md'];
    expect(
      decisionRecords([index, ...records.map((name) => file(`docs/adr/${name}`, ''))]),
    ).toEqual([
      'docs/adr/0001-b.md:1: the number is taken',
      'docs/adr/note.md:1: name it NNNN-words.md',
      'docs/adr/0002-d.md:1: not listed in docs/adr/README.md',
    ]);
  });

  test('long file, and an exemption nobody needs', () => {
    const long = file('packages/a.ts', 'x\n'.repeat(linesMax + 1));
    expect(longFiles([long], new Map())).toHaveLength(1);
    expect(longFiles([long], new Map([['packages/a.ts', 'a table']]))).toEqual([]);
    expect(longFiles([], new Map([['packages/a.ts', 'a table']]))).toHaveLength(1);
  });

  test('page with two titles or none; headings in code do not count', () => {
    const page = (text: string) => titleFaults([file('docs/a.md', text)]);
    expect(page('# One\n\n```sh\n# comment\n```\n')).toEqual([]);
    expect(page('# One\n# Two\n')).toHaveLength(1);
    expect(page('text\n')).toHaveLength(1);
  });

  test('dead link, dead anchor, link out of the project', () => {
    const pages = [
      file(
        'docs/a.md',
        '# A\n[b](b.md) [b2](b.md#its-part) [up](../README.md) [web](https://x.org)',
      ),
      file('docs/b.md', '# B\n## Its part!\n'),
      file('README.md', '# R\n[gone](docs/c.md)\n[part](docs/b.md#nope)\n[out](../x.md)'),
    ];
    expect(linkFaults(pages, '/nonexistent')).toEqual([
      'README.md:2: docs/c.md does not exist',
      'README.md:3: docs/b.md#nope: no such heading',
      'README.md:4: ../x.md leaves the project',
    ]);
  });
});
