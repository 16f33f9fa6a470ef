/** @file What would be installed, where, with what and at what price: to be shown before anything is done. */
import { existsSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import type { InstallPlan } from '../../shared/pythonProtocol.ts';
import { findOnPath } from './findOnPath.ts';
import { countBytes, locateEnvironment, type OwnEnvironment } from './ownEnvironment.ts';
import { isPythonSupported, supportedPythons } from './probePython.ts';
import { cleanPythonEnvironment } from './pythonEnvironment.ts';
import { type Requirements, readRequirements } from './readRequirements.ts';
import type { RunProgram } from './runProgram.ts';
import { buildFacts, chooseTorchBuild, findUnsupported, type MachineFacts, type TorchBuild } from './torchBuild.ts';

export interface InstallChoices {
  /** Undefined: as the machine's cards say. */
  readonly build?: TorchBuild | undefined;
  /** Instead of PyTorch's own index. */
  readonly torchIndex?: string | undefined;
  /** Instead of PyPI. */
  readonly packageIndex?: string | undefined;
}

export interface PlanInput {
  /** Of all environments. */
  readonly root: string;
  readonly requirementsFolder: string;
  readonly choices: InstallChoices;
  readonly machine: MachineFacts;
  readonly run: RunProgram;
  readonly env: NodeJS.ProcessEnv;
}

export interface Step {
  readonly name: string;
  readonly file: string;
  readonly arguments: readonly string[];
  /** What all users of the machine could read among the arguments: an index's name and password. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface PlannedInstall {
  readonly plan: InstallPlan;
  readonly requirements: Requirements;
  readonly environment: OwnEnvironment;
  /** Makes the empty environment; left out where one was begun. */
  readonly create: Step;
  readonly fill: readonly Step[];
}

/** @throws TuneError `unsupported-platform` when no build or no Python is there; `usage` for an index that is no address */
export async function planInstall(input: PlanInput): Promise<PlannedInstall> {
  const { root, requirementsFolder, choices, machine, run, env } = input;
  for (const index of [choices.torchIndex, choices.packageIndex]) if (index !== undefined) checkIndex(index);
  const { build, reason } = choices.build
    ? { build: choices.build, reason: 'It was chosen.' }
    : chooseTorchBuild(machine);
  const unsupported = findUnsupported(build, machine);
  if (unsupported !== undefined) {
    throw new TuneError('unsupported-platform', `python: expected a build that this machine runs, got ${unsupported}`, {
      hint: 'Choose engine=embedded, or run elsewhere: tuning-fork export-job.',
    });
  }
  const requirements = readRequirements(requirementsFolder, build);
  const environment = locateEnvironment(root, requirements);
  const installer = await findInstaller(run, env);
  const { label, downloadBytes, installedBytes } = buildFacts[build];
  const torchIndex = choices.torchIndex ?? requirements.torchIndex;
  return {
    requirements,
    environment,
    ...makeSteps(installer, environment, requirements, torchIndex, choices.packageIndex),
    plan: {
      build,
      buildLabel: label,
      reason,
      folder: environment.folder,
      installer: installer.kind,
      python: installer.python,
      packages: [...requirements.pins].map(([name, version]) => `${name} ${version}`),
      torchIndex: torchIndex === undefined ? null : hideCredentials(torchIndex),
      packageIndex: choices.packageIndex === undefined ? null : hideCredentials(choices.packageIndex),
      downloadBytes,
      installedBytes,
      freeBytes: countFreeDisk(root),
      presentBytes: existsSync(environment.folder) ? countBytes(environment.folder) : 0,
      isReady: environment.marker !== undefined,
    },
  };
}

/** Half of what is fetched lies twice on the disk for a while. @throws TuneError `disk-full` */
export function requireDisk({ downloadBytes, installedBytes, freeBytes, presentBytes, folder }: InstallPlan): void {
  const needed = Math.max(0, installedBytes + downloadBytes - presentBytes);
  if (freeBytes >= needed) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new TuneError(
    'disk-full',
    `${folder}: expected ${gigabytes(needed)} of free disk, got ${gigabytes(freeBytes)}`,
    { file: folder, hint: 'Free some space, or name another folder with TUNING_FORK_CACHE.' },
  );
}

export function hideCredentials(text: string): string {
  return text.replace(/\/\/[^/\s]+@/g, '//***@');
}

function checkIndex(index: string): void {
  const isAddress = URL.canParse(index) && /^(https?|file):$/.test(new URL(index).protocol);
  if (isAddress) return;
  throw new TuneError(
    'usage',
    `index: expected an address like https://mirror.example/simple, got "${index.replace(/\S*@/, '***@')}"`,
  );
}

function countFreeDisk(folder: string): number {
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return bavail * bsize;
}

interface Installer {
  readonly kind: 'uv' | 'pip';
  readonly file: string;
  /** What it will run on, in words. */
  readonly python: string;
}

async function findInstaller(run: RunProgram, env: NodeJS.ProcessEnv): Promise<Installer> {
  const options = { cwd: tmpdir(), env: cleanPythonEnvironment(env), timeoutMs: 20_000 };
  const [uv] = findOnPath('uv', env);
  if (uv !== undefined) {
    const { code, stdout } = await run(uv, ['--version'], options);
    if (code === 0)
      return { kind: 'uv', file: uv, python: `Python ${supportedPythons}, found or fetched by ${stdout.trim()}` };
  }
  const seen: string[] = [];
  for (const name of ['python3.12', 'python3.13', 'python3.11', 'python3.14', 'python3', 'python']) {
    for (const file of findOnPath(name, env)) {
      const question = 'import ensurepip, venv, sys; print(".".join(map(str, sys.version_info[:3])))';
      const { code, stdout, stderr } = await run(file, ['-I', '-c', question], options);
      const version = stdout.trim();
      if (code === 0 && isPythonSupported(version)) return { kind: 'pip', file, python: `Python ${version} (${file})` };
      seen.push(code === 0 ? `${file} is ${version}` : `${file}: ${stderr.trim().split('\n').at(-1)}`);
    }
  }
  const lacksVenv = seen.some(text => /No module named '?(ensurepip|venv)/.test(text));
  throw new TuneError(
    'unsupported-platform',
    `python: expected Python ${supportedPythons} or uv on the PATH, got ${seen.length > 0 ? seen.join('; ') : 'neither'}`,
    {
      hint: lacksVenv
        ? 'Install the rest of Python (Debian, Ubuntu: apt install python3-venv), or uv (https://docs.astral.sh/uv).'
        : 'Install uv (https://docs.astral.sh/uv) or Python 3.12 (https://www.python.org), then try again.',
    },
  );
}

function makeSteps(
  { kind, file }: Installer,
  { folder, interpreter }: OwnEnvironment,
  { torch, partsOnTorchIndex, packagesFile }: Requirements,
  torchIndex: string | undefined,
  packageIndex: string | undefined,
): Pick<PlannedInstall, 'create' | 'fill'> {
  const venv = join(folder, 'venv');
  const create: Step = {
    name: 'making the environment',
    file,
    arguments: kind === 'uv' ? ['venv', '--python', '>=3.11,<3.15', venv] : ['-I', '-m', 'venv', venv],
  };
  // Wheels alone: building a package would run its code.
  const install =
    kind === 'uv'
      ? { file, arguments: ['pip', 'install', '--python', interpreter, '--no-build', '--compile-bytecode'] }
      : {
          file: interpreter,
          arguments: [
            ...['-I', '-m', 'pip', 'install', '--only-binary=:all:', '--no-input'],
            ...['--disable-pip-version-check', '--progress-bar', 'off'],
          ],
        };
  const indexVariable = kind === 'uv' ? 'UV_DEFAULT_INDEX' : 'PIP_INDEX_URL';
  const from = (index: string | undefined, more: readonly string[]): Pick<Step, 'arguments' | 'env'> => {
    if (index === undefined) return { arguments: [...install.arguments, ...more] };
    const { username, password } = new URL(index);
    if (username === '' && password === '') {
      return { arguments: [...install.arguments, '--index-url', index, ...more] };
    }
    return { arguments: [...install.arguments, ...more], env: { [indexVariable]: index } };
  };
  const alone = partsOnTorchIndex ? [] : ['--no-deps'];
  return {
    create,
    fill: [
      {
        name: 'installing PyTorch',
        file: install.file,
        ...from(torchIndex ?? packageIndex, [...alone, torch]),
      },
      {
        name: 'installing packages',
        file: install.file,
        ...from(packageIndex, ['-r', packagesFile]),
      },
    ],
  };
}
