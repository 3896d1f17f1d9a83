/** One entry of package-lock.json, as far as it is looked at here. */
export interface LockEntry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

export type LockPackages = Readonly<Record<string, LockEntry>>;

/** An optional dependency that a locked package names but the lockfile does not hold. */
export interface MissingOptional {
  readonly neededBy: string;
  readonly name: string;
  readonly version: string;
}

/**
 * Optional dependencies without an entry. npm leaves out platform packages that its registry does
 * not carry, and then `npm ci` refuses the lockfile everywhere.
 */
export function missingOptionals(packages: LockPackages): readonly MissingOptional[] {
  return Object.entries(packages).flatMap(([neededBy, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !resolves(packages, neededBy, name))
      .map(([name, version]) => ({ neededBy, name, version })),
  );
}

/** Walks up the folders as Node does. */
function resolves(packages: LockPackages, from: string, name: string): boolean {
  let folder = from;
  for (;;) {
    const prefix = folder === '' ? '' : `${folder}/`;
    if (`${prefix}node_modules/${name}` in packages) return true;
    if (folder === '') return false;
    const parent = folder.lastIndexOf('/node_modules/');
    folder = parent === -1 ? '' : folder.slice(0, parent);
  }
}

const systems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const processors = [
  'arm64',
  'arm',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'x64',
];

/**
 * The entry of a platform package by its name: npm then installs it where it fits and passes over it
 * elsewhere, without asking the registry.
 * @throws {Error} when the name says no platform, or the version is not exact
 */
export function platformEntry({ name, version }: MissingOptional, isDev: boolean): LockEntry {
  const words = name.split(/[/-]/);
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  if (os === undefined || cpu === undefined || !/^\d+\.\d+\.\d+/.test(version)) {
    throw new Error(
      `cannot tell the platform of ${name}@${version}: add it to the lockfile by hand`,
    );
  }
  const isMusl = words.some((word) => word.startsWith('musl'));
  const isGlibc = words.some((word) => word.startsWith('gnu'));
  return {
    version,
    cpu: [cpu],
    ...(isDev ? { dev: true } : {}),
    ...(isMusl ? { libc: ['musl'] } : isGlibc && os === 'linux' ? { libc: ['glibc'] } : {}),
    optional: true,
    os: [os],
  };
}

/** The lockfile's packages with an entry for each missing optional one, in npm's order. */
export function completed(packages: LockPackages): LockPackages {
  const added = missingOptionals(packages).map(
    (missing) =>
      [
        `node_modules/${missing.name}`,
        platformEntry(missing, packages[missing.neededBy]?.dev === true),
      ] as const,
  );
  return Object.fromEntries(
    [...Object.entries(packages), ...added].toSorted(([left], [right]) =>
      left.localeCompare(right, 'en'),
    ),
  );
}
