/** Whole runs with each option of LoRA: resume to the same bytes, and an adapter that is what the run measured. */
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAdapter } from '../../../../../src/core/adapter/readAdapter.ts';
import { evaluateLoss } from '../../../../../src/core/infer/evaluateLoss.ts';
import { loadResidentModel } from '../../../../../src/core/infer/residentModel.ts';
import { prepareRun } from '../../../../../src/core/jobs/prepare/prepareRun.ts';
import { readRecord, readRequest } from '../../../../../src/core/runs/runFiles.ts';
import type { Hyperparameters } from '../../../../../src/shared/hyperparameters.ts';
import { parseMetrics } from '../../../../../src/shared/runState.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { addTinyRun, makeTinyRun, runJob } from '../../../../support/tinyRun.ts';

const layered = { memoryLimitBytes: 1, baseWeights: 'float32' } as const;
const untied = { tiedEmbeddings: false };
const cases: readonly [string, Partial<Hyperparameters>, { tiedEmbeddings?: boolean }][] = [
  ['dropout and LoRA+', { dropout: 0.2, loraPlusRatio: 4 }, {}],
  ['dropout layer by layer', { dropout: 0.2, ...layered }, {}],
  ['DoRA on some layers', { dora: true, layersToTransform: ['1'], rsLora: true }, {}],
  ['DoRA with dropout layer by layer', { dora: true, dropout: 0.2, ...layered }, {}],
  ['AdaLoRA', { adaLora: true, rank: 4, adaTargetRank: 2, adaInitialSteps: 0, adaFinalSteps: 1, dropout: 0.1 }, {}],
  ['AdaLoRA layer by layer', { adaLora: true, rank: 4, adaTargetRank: 1, ...layered }, {}],
  ['embedding and head trained whole', { modulesToSave: ['lm_head', 'embed_tokens'] }, untied],
];

/** What a form that was not touched asks for. */
const fresh = { rank: 16, alpha: 32, dora: false, rsLora: false, layersToTransform: [], modulesToSave: [] };

const bytesOf = (run: string): Buffer => readFileSync(join(run, 'adapter', 'adapter_model.safetensors'));

describe.each(cases)('a run with %s', (_name, settings, model) => {
  const make = (folder: string) =>
    makeTinyRun(folder, {
      model: { heads: 2, ...model },
      settings: { baseWeights: 'float32', ...settings, maxSteps: 4, gradientAccumulation: 2, evalEverySteps: 4 },
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

describe('a run that starts from an adapter', () => {
  const settings = {
    baseWeights: 'float32' as const,
    maxSteps: 4,
    evalEverySteps: 4,
    rank: 2,
    alpha: 6,
    targetModules: ['q_proj', 'up_proj'] as const,
  };
  const first = async (folder: string, more: Partial<Hyperparameters> = {}): Promise<string> => {
    const run = makeTinyRun(folder, {
      model: { heads: 2, tiedEmbeddings: false },
      settings: { ...settings, targetModules: [...settings.targetModules], ...more },
    });
    await runJob(run);
    return run;
  };
  const evaluationsOf = (run: string) =>
    parseMetrics(readFileSync(join(run, 'metrics.jsonl'), 'utf8')).evaluations.map(({ evalLossNats }) => evalLossNats);

  it.each([
    ['of LoRA', {}],
    ['of DoRA in one layer', { dora: true, layersToTransform: ['1'] }],
    ['with a head trained whole', { modulesToSave: ['lm_head'], rsLora: true }],
  ])('goes on where that one ended, with its settings: %s', async (_what, more) => {
    const folder = temporaryFolder();
    const earlier = await first(folder, more);
    const later = addTinyRun(folder, {
      ...readRequest(earlier),
      hyperparameters: { ...readRequest(earlier).hyperparameters, ...fresh },
      startFrom: { mode: 'continue', adapters: [earlier] },
    });
    await runJob(later);
    const record = readRecord(later)!;
    expect(record.hyperparameters).toMatchObject({ rank: 2, alpha: 6, ...more });
    expect(new Set(record.hyperparameters.targetModules)).toEqual(new Set(settings.targetModules));
    expect(evaluationsOf(later)[0]).toBeCloseTo(evaluationsOf(earlier).at(-1)!, 5);
    expect(evaluationsOf(later).at(-1)).toBeLessThan(evaluationsOf(later)[0]!);
  });

  it.each(['whole', 'layered'] as const)('trains a new one on top of others, %s', async shape => {
    const folder = temporaryFolder();
    const earlier = await first(folder);
    const request = readRequest(earlier);
    const stack = async (rank: number, below: readonly string[]): Promise<string> => {
      const run = addTinyRun(folder, {
        ...request,
        overrides: ['memory'],
        hyperparameters: {
          ...request.hyperparameters,
          rank,
          targetModules: ['v_proj', 'up_proj'],
          ...(shape === 'layered' ? layered : {}),
        },
        startFrom: { mode: 'stack', adapters: [...below] },
      });
      await runJob(run);
      return run;
    };
    const second = await stack(3, [earlier]);
    expect(evaluationsOf(second)[0]).toBeCloseTo(evaluationsOf(earlier).at(-1)!, 5);
    const third = await stack(1, [second]);
    expect(evaluationsOf(third)[0]).toBeCloseTo(evaluationsOf(second).at(-1)!, 5);
    const ranks = Object.fromEntries(
      readAdapter(join(third, 'adapter')).pairs.map(({ module, rank }) => [module, rank]),
    );
    expect(ranks).toMatchObject({
      'model.layers.0.self_attn.q_proj': 2,
      'model.layers.0.self_attn.v_proj': 4,
      'model.layers.1.mlp.up_proj': 6,
    });
    expect(readFileSync(join(third, 'adapter', 'README.md'), 'utf8')).toContain('## Earlier adapters');
  });

  it('resumes though the adapter it was given is gone', async () => {
    const folder = temporaryFolder();
    const earlier = await first(folder);
    const run = addTinyRun(folder, { ...readRequest(earlier), startFrom: { mode: 'stack', adapters: [earlier] } });
    cpSync(run, `${run}-copy`, { recursive: true });
    await runJob(run);
    const expected = bytesOf(run);
    rmSync(run, { recursive: true });
    cpSync(`${run}-copy`, run, { recursive: true });
    await runJob(run, {}, event => (event.kind === 'step' && event.row.step === 2 ? 'pause' : undefined));
    rmSync(earlier, { recursive: true });
    await runJob(run, { attempt: 2 });
    expect(bytesOf(run)).toEqual(expected);
  });

  it.each([
    ['a new DoRA adapter on top', { dora: true }, {}, 'stack', /without dora/],
    ['DoRA beneath', {}, { dora: true }, 'stack', /expected a plain LoRA adapter, got one with DoRA/],
    ['nothing there', {}, null, 'continue', /expected a run with an adapter/],
  ] as const)('refuses %s before anything is written', async (_what, more, earlier, mode, message) => {
    const folder = temporaryFolder();
    const below = earlier === null ? join(folder, 'nowhere') : await first(folder, earlier);
    const run = makeTinyRun(folder, { model: { heads: 2, tiedEmbeddings: false }, settings: more });
    const request = { ...readRequest(run), startFrom: { mode, adapters: [below] } };
    await expect(runJob(addTinyRun(folder, request))).rejects.toThrow(message);
  });
});
