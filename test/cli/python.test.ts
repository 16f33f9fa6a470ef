/**
 * The environment of the PyTorch engine, made by the built command line: by real venv and pip from an index of tiny wheels,
 * and by a uv that is a script of ours, which can be interrupted where it hurts.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PythonStatus } from '../../src/shared/pythonProtocol.ts';
import type { PythonReport } from '../../src/shared/pythonReport.ts';
import { makePlace, type Place, runCli, startCli, waitUntil } from '../support/programs.ts';
import { makeTemporaryFolder } from '../support/temporaryFolder.ts';

const requirements = fileURLToPath(new URL('../../src/engines/pytorch/requirements', import.meta.url));
const wheelMaker = fileURLToPath(new URL('../support/fakeWheels.py', import.meta.url));

function findPython(): string | undefined {
  const code = 'import ensurepip, sys; assert (3, 11) <= sys.version_info < (3, 15); print(sys.executable)';
  for (const name of ['python3', 'python3.11', 'python3.12', 'python3.13']) {
    try {
      return execFileSync(name, ['-I', '-c', code], { encoding: 'utf8', stdio: 'pipe' }).trim();
    } catch {
      // Not there, or another version: the next name is tried.
    }
  }
  return undefined;
}

const basePython = findPython();
const shared = makeTemporaryFolder();
const index = join(shared.path, 'index');
const indexOptions = ['--index', pathToFileURL(index).href, '--torch-index', pathToFileURL(index).href];

/** With a cache and a search path of its own: no uv but the one that a test puts there, and none of pip's settings. */
function makePythonPlace(): Place & { cache: string; programs: string } {
  const place = makePlace();
  const [cache, programs] = [join(place.folder, 'cache'), join(place.folder, 'programs')];
  mkdirSync(programs);
  writeFileSync(join(programs, 'python3.12'), `#!/bin/sh\nexec "${basePython}" "$@"\n`);
  chmodSync(join(programs, 'python3.12'), 0o755);
  const kept = Object.entries(place.env).filter(([name]) => !/^(PIP_|UV_|TUNING_FORK_PYTHON$)/.test(name));
  const env = { ...Object.fromEntries(kept), TUNING_FORK_CACHE: cache, PATH: [programs, '/bin'].join(delimiter) };
  return { ...place, env: { ...env, PIP_CONFIG_FILE: '/dev/null', PIP_NO_INDEX: '' }, cache, programs };
}

const readStatus = async (place: Place): Promise<PythonStatus> => {
  const { lines } = await runCli(['python', 'status', '--json'], place);
  return lines.at(-1) as unknown as PythonStatus;
};

describe.skipIf(process.platform === 'win32' || basePython === undefined)('tuning-fork python', () => {
  beforeAll(() => {
    execFileSync(basePython!, ['-I', wheelMaker, index, requirements]);
  });
  afterAll(() => shared.remove());

  it('installs nothing unasked: it says what it would do and ends', async () => {
    const place = makePythonPlace();
    const { code, errorText } = await runCli(['python', 'install'], place);
    expect(code).toBe(2);
    for (const word of ['place', 'packages', 'torch 2.13.0', 'to fetch', '--yes']) expect(errorText).toContain(word);
    expect(existsSync(place.cache)).toBe(false);
  });

  it('makes an environment with venv and pip, finds its card, uses it, and removes it', async () => {
    const place = makePythonPlace();
    const made = await runCli(['python', 'install', '--yes', '--json', '--build', 'cpu', ...indexOptions], place);
    expect(made.errorText).not.toContain('Error');
    const { report } = made.lines.at(-1) as unknown as { report: PythonReport };
    expect(report).toMatchObject({
      source: 'own',
      problems: [],
      packages: { torch: '2.13.0', transformers: '5.23.0' },
      accelerators: [{ kind: 'cuda', name: 'Test Card', memoryBytes: 24 * 2 ** 30 }],
    });
    expect(made.lines.some(line => line.type === 'progress')).toBe(true);

    const again = await runCli(['python', 'install', '--json'], place);
    expect([again.code, again.lines.at(-1)]).toMatchObject([0, { type: 'result', report: { problems: [] } }]);
    const doctor = await runCli(['doctor', '--json'], place);
    expect(doctor.lines.at(-1)).toMatchObject({ type: 'result', python: { interpreter: report.interpreter } });

    // A package that goes is noticed, and named with its mend.
    const site = join(report.interpreter, '../../lib');
    const [version] = readdirSync(site);
    for (const name of readdirSync(join(site, version!, 'site-packages'))) {
      if (name.startsWith('peft')) rmSync(join(site, version!, 'site-packages', name), { recursive: true });
    }
    const broken = await runCli(['doctor', '--json'], place);
    expect(broken.code).toBe(1);
    expect(broken.lines.at(-1)).toMatchObject({ message: expect.stringContaining('python') });
    expect((await readStatus(place)).report!.problems).toMatchObject([{ message: 'peft is missing' }]);

    const removed = await runCli(['python', 'remove', '--yes', '--json'], place);
    expect(removed.lines.at(-1)).toMatchObject({ type: 'result', removed: [expect.stringContaining('cpu-')] });
    expect(await readStatus(place)).toMatchObject({ report: null, environments: [] });
  }, 120_000);

  it('never uses what was interrupted, and goes on from there', async () => {
    const place = makePythonPlace();
    const [log, blocker] = [join(place.folder, 'uv.log'), join(place.folder, 'block')];
    // `uv venv` is real enough to be started; `uv pip install -r` waits while the blocker is there.
    writeFileSync(
      join(place.programs, 'uv'),
      `#!/bin/sh
echo "$@" >> "${log}"
case "$1 $2" in
  "--version ") echo "uv 0.0.0" ;;
  "venv --python") exec "${basePython}" -I -m venv --without-pip "$4" ;;
  "pip install")
    case "$*" in *packages.txt*) while [ -e "${blocker}" ]; do echo "Downloading peft" >&2; sleep 0.1; done ;; esac
    for wheel in "${index}"/*/*.whl; do "$4" -I -m zipfile -e "$wheel" "$(dirname "$4")"/../lib/python*/site-packages; done ;;
esac
`,
    );
    chmodSync(join(place.programs, 'uv'), 0o755);
    writeFileSync(blocker, '');
    const arguments_ = ['python', 'install', '--yes', '--json', '--build', 'cpu', ...indexOptions];
    const first = startCli(arguments_, place);
    await waitUntil(
      'the installation of packages',
      () => existsSync(log) && readFileSync(log, 'utf8').includes('packages.txt'),
    );
    const second = await runCli(arguments_, place);
    expect(second.lines.at(-1)).toMatchObject({ type: 'error', code: 'run-busy' });
    first.process.kill('SIGINT');
    expect((await first.ended).code).toBe(130);
    const half = await readStatus(place);
    expect(half).toMatchObject({ report: null, environments: [{ isReady: false, isCurrent: false }] });

    rmSync(blocker);
    rmSync(log);
    const resumed = await runCli(arguments_, place);
    expect(resumed.lines.at(-1)).toMatchObject({ type: 'result', report: { problems: [] } });
    const said = readFileSync(log, 'utf8');
    expect(said).not.toContain('venv --python');
    expect(said).toMatch(
      /pip install --python \S+ --no-build --compile-bytecode --index-url file:\S+ --no-deps torch==/,
    );
    expect((await readStatus(place)).environments).toMatchObject([{ isReady: true, isCurrent: true }]);
  }, 60_000);

  it('tells where a download failed and which mirrors can be named', async () => {
    const place = makePythonPlace();
    const nowhere = pathToFileURL(join(place.folder, 'nowhere')).href;
    const options = ['--build', 'cpu', '--index', nowhere, '--torch-index', nowhere];
    const { code, lines } = await runCli(['python', 'install', '--yes', '--json', ...options], place);
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatchObject({
      code: 'download-failed',
      message: expect.stringMatching(/installing PyTorch.*No matching distribution/),
      hint: expect.stringContaining('--torch-index'),
    });
  }, 60_000);
});
