import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hideCredentials, type PlanInput, planInstall, requireDisk } from '../../../../src/core/python/planInstall.ts';
import type { RunProgram } from '../../../../src/core/python/runProgram.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const requirementsFolder = resolve(import.meta.dirname, '../../../../src/engines/pytorch/requirements');

/** Programs that answer what `answers` says. */
function inputWith(answers: Record<string, { code: number; stdout?: string; stderr?: string }>): PlanInput {
  const folder = temporaryFolder();
  const programs = join(folder, 'programs');
  mkdirSync(programs);
  for (const name of Object.keys(answers)) {
    const file = join(programs, process.platform === 'win32' ? `${name}.exe` : name);
    writeFileSync(file, '');
    chmodSync(file, 0o755);
  }
  const run: RunProgram = async file => {
    const name = Object.keys(answers).find(known => file.replace(/\.exe$/, '').endsWith(`programs/${known}`));
    return { stdout: '', stderr: '', ...answers[name ?? ''], code: answers[name ?? '']?.code ?? null };
  };
  const machine = { platform: 'linux', arch: 'x64', cards: [], nvidiaDriver: undefined, hasAmdCompute: false };
  return { root: join(folder, 'cache'), requirementsFolder, choices: {}, machine, run, env: { PATH: programs } };
}

describe('planInstall', () => {
  it('takes uv where it is, and PyTorch alone from its own index', async () => {
    const { plan, create, fill } = await planInstall(inputWith({ uv: { code: 0, stdout: 'uv 0.13.9\n' } }));
    expect(plan).toMatchObject({ build: 'cpu', installer: 'uv', isReady: false, presentBytes: 0 });
    expect(create.arguments[0]).toBe('venv');
    expect(fill[0]!.arguments).toEqual(
      expect.arrayContaining(['--no-deps', '--index-url', 'https://download.pytorch.org/whl/cpu', 'torch==2.13.0']),
    );
    expect(fill[1]!.arguments).not.toContain('--index-url');
  });

  it('takes the first Python that will do, and names mirrors where they are chosen', async () => {
    const input = inputWith({ 'python3.12': { code: 1 }, python3: { code: 0, stdout: '3.13.1\n' } });
    const choices = {
      packageIndex: 'https://user:secret@mirror.example/simple',
      torchIndex: 'https://mirror.example/cpu',
    };
    const { plan, fill } = await planInstall({ ...input, choices });
    expect(plan).toMatchObject({ installer: 'pip', packageIndex: 'https://***@mirror.example/simple' });
    expect(plan.python).toContain('3.13.1');
    expect(fill[0]!.arguments).toContain(choices.torchIndex);
    expect(fill[0]!.env).toBeUndefined();
    expect(fill[1]!.arguments).toEqual(expect.not.arrayContaining(['--index-url', choices.packageIndex]));
    expect(fill[1]!.env).toEqual({ PIP_INDEX_URL: choices.packageIndex });
    expect(fill[1]!.arguments).toContain('--only-binary=:all:');
  });

  it("keeps a mirror's name and password out of the arguments of uv too", async () => {
    const torchIndex = 'https://token@mirror.example/cpu';
    const { fill } = await planInstall({ ...inputWith({ uv: { code: 0 } }), choices: { torchIndex } });
    expect(fill[0]!.env).toEqual({ UV_DEFAULT_INDEX: torchIndex });
    expect(fill.flatMap(step => step.arguments).join(' ')).not.toContain('token');
    expect(fill[1]!.env).toBeUndefined();
  });

  it('says what to install where there is no Python, or one without venv', async () => {
    await expect(planInstall(inputWith({}))).rejects.toMatchObject({
      code: 'unsupported-platform',
      message: expect.stringContaining('got neither'),
      hint: expect.stringContaining('docs.astral.sh/uv'),
    });
    const debian = inputWith({ python3: { code: 1, stderr: "ModuleNotFoundError: No module named 'ensurepip'" } });
    await expect(planInstall(debian)).rejects.toMatchObject({ hint: expect.stringContaining('python3-venv') });
    const old = inputWith({ python3: { code: 0, stdout: '3.9.2\n' } });
    await expect(planInstall(old)).rejects.toMatchObject({ message: expect.stringContaining('3.9.2') });
  });

  it('refuses an index that is no address, and a build that the machine cannot run', async () => {
    const input = inputWith({ uv: { code: 0 } });
    await expect(planInstall({ ...input, choices: { packageIndex: '--evil' } })).rejects.toMatchObject({
      code: 'usage',
    });
    await expect(planInstall({ ...input, choices: { packageIndex: 'user:secret@mirror' } })).rejects.toMatchObject({
      message: expect.not.stringContaining('secret'),
    });
    await expect(planInstall({ ...input, choices: { build: 'mps' } })).rejects.toMatchObject({
      code: 'unsupported-platform',
    });
  });
});

describe('requireDisk', () => {
  it('asks for the room of what is fetched and made, less what is there', async () => {
    const { plan } = await planInstall(inputWith({ uv: { code: 0 } }));
    expect(() => requireDisk({ ...plan, freeBytes: 1e9 })).toThrow(/1\.9 GB of free disk, got 1\.0 GB/);
    expect(() => requireDisk({ ...plan, freeBytes: 1e9, presentBytes: 1e9 })).not.toThrow();
  });
});

describe('hideCredentials', () => {
  it('keeps names and passwords of mirrors out of logs', () => {
    expect(hideCredentials('a https://u:p@x.y/z https://x.y/z')).toBe('a https://***@x.y/z https://x.y/z');
    expect(hideCredentials('https://u:p@ss@x.y/z@1')).toBe('https://***@x.y/z@1');
  });
});
