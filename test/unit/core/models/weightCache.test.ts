import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TensorSource } from '../../../../src/core/formats/tensorSource.ts';
import { QuantizedTensors } from '../../../../src/core/models/quantizedTensors.ts';
import { listCachedWeights, openCachedWeights } from '../../../../src/core/models/weightCache.ts';
import { listMatrices } from '../../../../src/core/train/planWeightForms.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { makeTinyModel, makeTinyWeights } from './tinyModel.ts';

const model = makeTinyModel();
const sha256 = 'a'.repeat(64);
const linear = 'model.layers.0.self_attn.q_proj.weight';

/** The rounded weights, and how often floats of matrices were read for them. */
function makeRounded(): { rounded: QuantizedTensors; countReads: () => number } {
  const stored = makeTinyWeights(model);
  let reads = 0;
  const counting: TensorSource = {
    ...stored,
    readFloat32Rows(name, first, count) {
      reads++;
      return stored.readFloat32Rows(name, first, count);
    },
  };
  return { rounded: new QuantizedTensors(counting, listMatrices(model)), countReads: () => reads };
}

describe('openCachedWeights', () => {
  it('gives the rounded weights again without reading what they were rounded from', () => {
    const cache = { folder: join(temporaryFolder(), 'weights'), budgetBytes: 1e9 };
    const first = openCachedWeights(cache, sha256, makeRounded().rounded);
    const { rounded, countReads } = makeRounded();
    const second = openCachedWeights(cache, sha256, rounded);
    const expected = makeRounded().rounded;
    for (const { name } of listMatrices(model)) {
      expect(second.info(name)).toEqual(expected.info(name));
      expect(second.readBytes(name)).toEqual(expected.readBytes(name));
      expect(second.readBytes(name, { first: 3, count: 2 })).toEqual(expected.readBytes(name, { first: 3, count: 2 }));
    }
    expect(countReads()).toBe(0);
    expect(second.readFloat32('model.norm.weight')).toEqual(expected.readFloat32('model.norm.weight'));
    first.close();
    second.close();
  });

  it('writes a damaged file anew', () => {
    const cache = { folder: temporaryFolder(), budgetBytes: 1e9 };
    openCachedWeights(cache, sha256, makeRounded().rounded).close();
    const { path } = listCachedWeights(cache.folder)[0]!;
    const { size } = statSync(path);
    writeFileSync(path, 'damaged');
    const again = openCachedWeights(cache, sha256, makeRounded().rounded);
    expect(statSync(path).size).toBe(size);
    expect(again.readBytes(linear)).toEqual(makeRounded().rounded.readBytes(linear));
    again.close();
  });

  it('lets what was used longest ago go when the budget is spent, never what is in use', () => {
    const cache = { folder: temporaryFolder(), budgetBytes: 1 };
    for (const [index, name] of ['old', 'new'].entries()) {
      const path = join(cache.folder, `${name}.gguf`);
      writeFileSync(path, 'x');
      utimesSync(path, 1000 + index, 1000 + index);
    }
    openCachedWeights({ ...cache, budgetBytes: 1e9 }, sha256, makeRounded().rounded).close();
    expect(readdirSync(cache.folder)).toHaveLength(3);
    const used = listCachedWeights(cache.folder)[0]!;
    openCachedWeights({ ...cache, budgetBytes: used.bytes + 1 }, sha256, makeRounded().rounded).close();
    expect(listCachedWeights(cache.folder).map(({ path }) => path)).toEqual([
      used.path,
      join(cache.folder, 'new.gguf'),
    ]);
    openCachedWeights(cache, sha256, makeRounded().rounded).close();
    expect(listCachedWeights(cache.folder).map(({ path }) => path)).toEqual([used.path]);
  });

  it('rounds in memory where the cache cannot be written', () => {
    const folder = join(temporaryFolder(), 'taken');
    writeFileSync(folder, 'a file, not a folder');
    const source = openCachedWeights({ folder, budgetBytes: 1e9 }, sha256, makeRounded().rounded);
    expect(source.readBytes(linear)).toEqual(makeRounded().rounded.readBytes(linear));
  });

  it('leaves a model alone that is stored in blocks', () => {
    const folder = join(temporaryFolder(), 'weights');
    const nothing = new QuantizedTensors(makeTinyWeights(model), []);
    expect(openCachedWeights({ folder, budgetBytes: 1e9 }, sha256, nothing)).toBe(nothing);
    expect(existsSync(folder)).toBe(false);
    mkdirSync(folder);
    expect(listCachedWeights(folder)).toEqual([]);
  });
});
