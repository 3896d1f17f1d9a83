import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A language counts as present when one of its programs is on the PATH or one of its files in a repository. */
const LANGUAGES: Readonly<
  Record<string, { readonly programs: readonly string[]; readonly files: readonly string[] }>
> = {
  c: { programs: ['cc', 'gcc', 'clang'], files: ['CMakeLists.txt'] },
  csharp: { programs: ['dotnet'], files: ['global.json'] },
  elixir: { programs: ['elixir'], files: ['mix.exs'] },
  go: { programs: ['go'], files: ['go.mod'] },
  java: { programs: ['javac'], files: ['pom.xml', 'build.gradle'] },
  javascript: { programs: ['node', 'bun', 'deno'], files: ['package.json'] },
  kotlin: { programs: ['kotlinc'], files: ['build.gradle.kts'] },
  php: { programs: ['php'], files: ['composer.json'] },
  python: {
    programs: ['python3', 'python'],
    files: ['pyproject.toml', 'requirements.txt', 'setup.py'],
  },
  ruby: { programs: ['ruby'], files: ['Gemfile'] },
  rust: { programs: ['cargo', 'rustc'], files: ['Cargo.toml'] },
  scala: { programs: ['scala'], files: ['build.sbt'] },
  swift: { programs: ['swift'], files: ['Package.swift'] },
  typescript: { programs: ['tsc', 'node'], files: ['tsconfig.json'] },
};

/** Programs worth telling; others are declared with `--tools`. */
const TOOLS = [
  'bwrap',
  'chromium',
  'docker',
  'gh',
  'git',
  'glab',
  'make',
  'npm',
  'pnpm',
  'podman',
  'psql',
  'tmux',
  'uv',
  'yarn',
] as const;

/** Languages of this machine, by name in small letters. What was declared wins over what is found. */
export function detectLanguages(options: {
  readonly declared?: readonly string[];
  readonly pathVariable: string;
  readonly repoPaths?: readonly string[];
}): readonly string[] {
  if (options.declared !== undefined) return normalise(options.declared);
  return Object.entries(LANGUAGES)
    .filter(([, { programs, files }]) => {
      const hasProgram = programs.some(
        (name) => findProgram(name, options.pathVariable) !== undefined,
      );
      const hasFile = (path: string): boolean => files.some((file) => existsSync(join(path, file)));
      return hasProgram || (options.repoPaths ?? []).some(hasFile);
    })
    .map(([language]) => language);
}

/** Tools of this machine, by the names of their programs; those declared are added unseen. */
export function detectTools(options: {
  readonly declared?: readonly string[];
  readonly pathVariable: string;
}): readonly string[] {
  const found = TOOLS.filter((name) => findProgram(name, options.pathVariable) !== undefined);
  return [...new Set([...found, ...normalise(options.declared ?? [])])].toSorted();
}

/** Full path of a program on a PATH. */
export function findProgram(name: string, pathVariable: string): string | undefined {
  for (const dir of pathVariable.split(delimiter)) {
    if (dir === '') continue;
    const path = join(dir, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not here: the next directory.
    }
  }
  return undefined;
}

function normalise(names: readonly string[]): readonly string[] {
  const clean = names.map((name) => name.trim().toLowerCase()).filter((name) => name !== '');
  return [...new Set(clean)].toSorted();
}
