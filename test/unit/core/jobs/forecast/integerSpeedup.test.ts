import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findIntegerSpeedup } from '../../../../../src/core/jobs/forecast/integerSpeedup.ts';
import { defaultHyperparameters } from '../../../../../src/shared/hyperparameters.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { makeTinyModel } from '../../models/tinyModel.ts';

const settings = { ...defaultHyperparameters, batchRows: 1, contextTokens: 16, threads: 1 };
/** Of many layers, so that it counts as large; only one is measured. */
const large = makeTinyModel({ num_hidden_layers: 2000 });

describe('findIntegerSpeedup', () => {
  let folder: string;
  beforeEach(() => {
    folder = temporaryFolder();
    vi.stubEnv('TUNING_FORK_STATE', folder);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('is measured once and known from then on', async () => {
    expect(await findIntegerSpeedup(large, settings, false)).toBeUndefined();
    const measured = await findIntegerSpeedup(large, settings, true);
    expect(measured).toBeGreaterThan(0);
    expect(await findIntegerSpeedup(large, settings, false)).toBe(measured);
    expect(await findIntegerSpeedup(large, { ...settings, contextTokens: 32 }, false)).toBeUndefined();
  });

  it('is measured again when the file it was kept in is torn', async () => {
    writeFileSync(join(folder, 'integer-speedups.json'), '{"a');
    expect(await findIntegerSpeedup(large, settings, true)).toBeGreaterThan(0);
  });

  it('is not asked for where nothing hangs on it', async () => {
    expect(await findIntegerSpeedup(makeTinyModel(), settings, true)).toBeUndefined();
    expect(await findIntegerSpeedup(large, { ...settings, method: 'full' }, true)).toBeUndefined();
    expect(await findIntegerSpeedup(large, { ...settings, baseWeights: 'float32' }, true)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });
});
