import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { findIntegerSpeedup } from '../../../../../src/core/jobs/forecast/integerSpeedup.ts';
import { forecastRun } from '../../../../../src/core/jobs/prepare/forecastRun.ts';
import type { Hyperparameters } from '../../../../../src/shared/hyperparameters.ts';
import type { RunRequest } from '../../../../../src/shared/recipe.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { tinyRequest } from '../../../../support/tinyRequest.ts';

// As of small models, whose choice does not hang on it.
vi.mock('../../../../../src/core/jobs/forecast/integerSpeedup.ts', () => ({
  findIntegerSpeedup: vi.fn(async () => undefined),
}));

const options = {
  tinyFolder: '/nowhere',
  hub: undefined,
  control: { ask: () => 'continue' as const },
  onPhase: () => undefined,
};
const forecast = (settings: Partial<Hyperparameters> = {}, change: Partial<RunRequest> = {}) => {
  const request = { ...tinyRequest(temporaryFolder(), settings), ...change };
  return forecastRun(request, options);
};
const codes = (report: Awaited<ReturnType<typeof forecast>>) => report.findings.map(finding => finding.code);

describe('forecastRun', () => {
  it('counts rows, tokens, steps and memory of what would be trained', async () => {
    const report = await forecast({ maxSteps: null, epochs: 2, batchRows: 4, packing: false });
    expect(report).toMatchObject({ canStart: true, findings: [], error: null });
    expect(report.forecast).toMatchObject({
      totalSteps: 18,
      trainRows: 36,
      heldOutRows: 4,
      supervisedTokensPerEpoch: 36 * 5,
      plan: 'whole',
    });
    expect(report.forecast!.peakMemoryBytes).toBeLessThan(report.forecast!.memoryLimitBytes);
  });

  it('shows the base weights that the run will take once their rounding is measured', async () => {
    const show = async (change: number | undefined) => {
      vi.mocked(findIntegerSpeedup).mockResolvedValueOnce(4);
      const measureRounding = change === undefined ? {} : { measureRounding: async () => change };
      const timed = vi.fn(async () => 1);
      const report = await forecastRun(tinyRequest(temporaryFolder()), { ...options, ...measureRounding }, timed);
      expect(timed).toHaveBeenCalledWith(expect.objectContaining({ forecast: report.forecast }));
      return report.forecast?.baseWeights;
    };
    expect(await show(undefined)).toBe('8bit');
    expect(await show(0.001)).toBe('8bit');
    expect(await show(0.02)).toBe('float32');
  });

  it('says that it does not fit, and starts all the same when told to insist', async () => {
    const refused = await forecast({ memoryLimitBytes: 1_000_000 });
    expect(codes(refused)).toEqual(['memory']);
    expect(refused.canStart).toBe(false);
    const insisted = await forecast({ memoryLimitBytes: 1_000_000 }, { overrides: ['memory'] });
    expect(insisted).toMatchObject({ canStart: true, findings: [{ code: 'memory', override: 'memory' }] });
  });

  it('tells of rows longer than the base model knows', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'long.jsonl');
    const row = (n: number) => JSON.stringify({ question: `q${n}`, answer: 'long '.repeat(80) });
    writeFileSync(path, [row(1), row(2), row(3)].join('\n'));
    const report = await forecast({ contextTokens: 512 }, { datasets: [{ path, mapping: null }] });
    expect(codes(report)).toContain('beyond-model-context');
    expect(report.canStart).toBe(true);
  });

  it('refuses what has nothing to learn from, and hands on what cannot be read', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'rows.jsonl');
    writeFileSync(path, '{"messages":[{"role":"user","content":"a"}]}\n');
    const report = await forecast({}, { datasets: [{ path, mapping: null }] });
    expect(report).toMatchObject({ canStart: false, forecast: null, error: { code: 'dataset-empty', file: path } });
    const missing = await forecast({}, { model: join(folder, 'none') });
    expect(missing).toMatchObject({ canStart: false, error: { code: 'model-not-found' } });
  });

  it('keeps equal questions of two files on one side', async () => {
    const folder = temporaryFolder();
    const files = ['a', 'b'].map(name => join(folder, `${name}.jsonl`));
    const rows = Array.from({ length: 10 }, (_, i) => JSON.stringify({ question: `q${i}`, answer: 'x' })).join('\n');
    for (const file of files) writeFileSync(file, rows);
    const report = await forecast({ evalRatio: 0.2 }, { datasets: files.map(path => ({ path, mapping: null })) });
    expect(report.forecast).toMatchObject({ trainRows: 16, heldOutRows: 4 });
  });
});
