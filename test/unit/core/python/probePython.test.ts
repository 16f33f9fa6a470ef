import { describe, expect, it } from 'vitest';
import { isPythonSupported, probePython } from '../../../../src/core/python/probePython.ts';
import type { Requirements } from '../../../../src/core/python/readRequirements.ts';
import type { RunProgram } from '../../../../src/core/python/runProgram.ts';

const requirements: Requirements = {
  build: 'cpu',
  torch: 'torch==2.13.0',
  torchIndex: undefined,
  partsOnTorchIndex: false,
  packagesFile: '/packages.txt',
  pins: new Map([
    ['torch', '2.13.0'],
    ['peft', '0.21.2'],
    ['numpy', '2.4.6'],
    ['bitsandbytes', '0.50.0'],
  ]),
  packageCount: 4,
  fingerprint: '0123456789ab',
};
const packages = { torch: '2.13.0+cpu', peft: '0.21.2', numpy: '2.4.6', bitsandbytes: '0.50.0' };

function probe(answer: object | string, source: 'own' | 'user' = 'user', code = 0) {
  const calls: (readonly string[])[] = [];
  const run: RunProgram = async (file, programArguments, { env }) => {
    calls.push([file, ...programArguments]);
    expect(env.PYTHONPATH).toBeUndefined();
    const text = typeof answer === 'string' ? answer : `noise\ntuning-fork-probe:${JSON.stringify(answer)}\n`;
    return code === 0 ? { code, stdout: text, stderr: '' } : { code, stdout: '', stderr: text };
  };
  const env = { PATH: '/bin', PYTHONPATH: '/evil' };
  return probePython({ interpreter: '/py', source, requirements, run, env }).then(report => ({ report, calls }));
}
const whole = { version: '3.12.7', packages, accelerators: [], torchError: null };

describe('probePython', () => {
  it('finds nothing wrong with what was pinned, and asks an isolated interpreter', async () => {
    const { report, calls } = await probe(whole);
    expect(report).toEqual({
      source: 'user',
      interpreter: '/py',
      version: '3.12.7',
      packages,
      accelerators: [],
      problems: [],
    });
    expect(calls[0]!.slice(0, 3)).toEqual(['/py', '-I', '-c']);
    expect(calls[0]!.slice(4)).toEqual([...requirements.pins.keys()]);
  });

  it('gives the exact mend of what is missing in a Python of the user', async () => {
    const { report } = await probe({ ...whole, packages: { ...packages, peft: null, torch: '2.9.1' } });
    expect(report.problems).toEqual([
      {
        message: 'torch is 2.9.1, expected 2.13.0; peft is missing',
        fix: 'Run: "/py" -m pip install torch==2.13.0 peft==0.21.2',
      },
    ]);
    const bare = await probe({ ...whole, packages: {} });
    expect(bare.report.problems.map(({ message }) => message)).toEqual(['torch, peft and numpy are missing']);
  });

  it('says of an environment of our own to make it anew', async () => {
    const { report } = await probe({ ...whole, packages: { ...packages, peft: '0.20.0' } }, 'own');
    expect(report.problems).toHaveLength(1);
    expect(report.problems[0]!.fix).toContain('tuning-fork python install');
  });

  it('takes a newer PyTorch, another patch, and does without what only some platforms have', async () => {
    const others = { torch: '2.14.1+cu130', peft: '0.21.9', numpy: '2.3.0', bitsandbytes: null };
    const { report } = await probe({ ...whole, packages: others });
    expect(report.problems).toEqual([]);
    expect(report.lacks).toEqual([
      {
        message: 'Without bitsandbytes: no base weights of 4 and 8 bit',
        fix: 'Run: "/py" -m pip install bitsandbytes==0.50.0',
      },
    ]);
  });

  it('tells a Python that is too old, a torch that does not load and a program that is no Python', async () => {
    expect((await probe({ ...whole, version: '3.9.1' })).report.problems[0]!.message).toContain('3.9.1');
    const unloadable = await probe({ ...whole, torchError: 'OSError: libcudart.so.13' });
    expect(unloadable.report.problems[0]!.message).toContain('libcudart.so.13');
    const none = await probe('Traceback\nImportError: no', 'user', 1);
    expect(none.report).toMatchObject({ version: null, packages: {} });
    expect(none.report.problems[0]!.message).toContain('ImportError: no');
    expect((await probe('hello')).report.version).toBeNull();
  });
});

describe('isPythonSupported', () => {
  it('takes 3.11 to 3.14', () => {
    expect(['3.10.9', '3.11.0', '3.14.2', '3.15.0', '2.7.18', ''].map(isPythonSupported)).toEqual([
      false,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
