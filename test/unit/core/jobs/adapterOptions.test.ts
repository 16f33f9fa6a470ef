/** Whole runs with each option of LoRA: resume to the same bytes, and an adapter that is what the run measured. */
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAdapter } from '../../../../src/core/adapter/readAdapter.ts';
import { evaluateLoss } from '../../../../src/core/infer/evaluateLoss.ts';
import { loadResidentModel } from '../../../../src/core/infer/residentModel.ts';
import { prepareRun } from '../../../../src/core/jobs/prepareRun.ts';
import type { Hyperparameters } from '../../../../src/shared/hyperparameters.ts';
import { parseMetrics } from '../../../../src/shared/runState.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { makeTinyRun, runJob } from '../../../support/tinyRun.ts';

const layered = { memoryLimitBytes: 1 };
const untied = { tiedEmbeddings: false };
const cases: readonly [string, Partial<Hyperparameters>, { tiedEmbeddings?: boolean }][] = [
  ['dropout and LoRA+', { dropout: 0.2, loraPlusRatio: 4 }, {}],
  ['dropout layer by layer', { dropout: 0.2, ...layered }, {}],
  ['DoRA on some layers', { dora: true, layersToTransform: ['1'], rsLora: true }, {}],
  ['DoRA with dropout layer by layer', { dora: true, dropout: 0.2, ...layered }, {}],
  ['embedding and head trained whole', { modulesToSave: ['lm_head', 'embed_tokens'] }, untied],
];

const bytesOf = (run: string): Buffer => readFileSync(join(run, 'adapter', 'adapter_model.safetensors'));

describe.each(cases)('a run with %s', (_name, settings, model) => {
  const make = (folder: string) =>
    makeTinyRun(folder, {
      model: { heads: 2, ...model },
      settings: { ...settings, maxSteps: 4, gradientAccumulation: 2, evalEverySteps: 4 },
      request: { overrides: ['memory'] },
    });

  it('resumes to the bytes of the straight run', async () => {
    const run = make(temporaryFolder());
    cpSync(run, `${run}-copy`, { recursive: true });
    await runJob(run);
    const expected = bytesOf(run);
    rmSync(run, { recursive: true });
    cpSync(`${run}-copy`, run, { recursive: true });
    const first = await runJob(run, {}, event => (event.kind === 'step' && event.row.step === 2 ? 'pause' : undefined));
    expect(first.end).toMatchObject({ reason: 'paused', step: 2 });
    await runJob(run, { attempt: 2 });
    expect(bytesOf(run)).toEqual(expected);
  });

  it('writes an adapter with the held-out loss that it measured', async () => {
    const run = make(temporaryFolder());
    await runJob(run);
    const { evaluations } = parseMetrics(readFileSync(join(run, 'metrics.jsonl'), 'utf8'));
    const control = { ask: () => 'continue' as const };
    const prepared = await prepareRun(run, {
      tinyFolder: '/nowhere',
      hub: undefined,
      control,
      onPhase: () => undefined,
    });
    const resident = await loadResidentModel(prepared.model);
    prepared.model.close();
    const shape = { batchRows: 2, contextTokens: 48, packing: true, threads: 1 };
    const lossOf = async (adapter: ReturnType<typeof readAdapter> | null) =>
      (await evaluateLoss(resident, adapter, prepared.sides.heldOut, shape)).evalLossNats;
    expect(evaluations.map(({ step }) => step)).toEqual([0, 4]);
    expect(await lossOf(null)).toBeCloseTo(evaluations[0]!.evalLossNats, 5);
    expect(await lossOf(readAdapter(join(run, 'adapter')))).toBeCloseTo(evaluations[1]!.evalLossNats, 5);
    expect(evaluations[1]!.evalLossNats).toBeLessThan(evaluations[0]!.evalLossNats);
  });
});
