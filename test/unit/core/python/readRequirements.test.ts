import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRequirements } from '../../../../src/core/python/readRequirements.ts';
import { torchBuilds } from '../../../../src/core/python/torchBuild.ts';

const folder = resolve(import.meta.dirname, '../../../../src/engines/pytorch/requirements');

describe('readRequirements', () => {
  it.each(torchBuilds)('reads what the build %s installs, everything pinned', build => {
    const requirements = readRequirements(folder, build);
    expect(requirements.torch).toMatch(/^torch==\d+\.\d+\.\d+$/);
    expect(requirements.pins.get('torch')).toBe(requirements.torch.slice('torch=='.length));
    expect([...requirements.pins.keys()]).toEqual(
      expect.arrayContaining(['transformers', 'peft', 'trl', 'accelerate', 'bitsandbytes']),
    );
    for (const version of requirements.pins.values()) expect(version).toMatch(/^\d+(\.\d+)+$/);
    expect(existsSync(requirements.packagesFile)).toBe(true);
  });

  it("names PyTorch's own index for the CPU: PyPI's Linux build carries CUDA", () => {
    expect(readRequirements(folder, 'cpu').torchIndex).toMatch(/\/whl\/cpu$/);
    expect(readRequirements(folder, 'mps').torchIndex).toBeUndefined();
  });

  it('gives each build a fingerprint of its own', () => {
    const prints = torchBuilds.map(build => readRequirements(folder, build).fingerprint);
    expect(new Set(prints).size).toBe(torchBuilds.length);
    for (const print of prints) expect(print).toMatch(/^[0-9a-f]{12}$/);
  });

  it('pins every package in the constraints as in the list of packages, once', () => {
    const pinsOf = (name: string) =>
      readFileSync(join(folder, name), 'utf8')
        .split('\n')
        .filter(line => /^[\w-]+==/.test(line))
        .map(line => line.split(' ;')[0]!.split('==') as [string, string]);
    const constraints = pinsOf('constraints.txt');
    const names = constraints.map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
    const pinned = new Map(constraints);
    for (const [name, version] of pinsOf('packages.txt')) {
      if (name !== 'torch') expect([name, pinned.get(name)]).toEqual([name, version]);
    }
  });
});
