/**
 * @file A stage and the results before it -> the request of an ordinary training run. What has to be made for it on the way
 * is made here: the model with the last adapter in its weights, the teacher's answers to the stage's questions.
 */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type EndpointKeys, findEndpointKey } from '../../../shared/endpointKeys.ts';
import type { DecodingSettings } from '../../../shared/inferenceProtocol.ts';
import type { PipelineStage } from '../../../shared/pipeline.ts';
import type { RunRequest } from '../../../shared/recipe.ts';
import { runNames } from '../../../shared/runFolder.ts';
import { ModelPool } from '../../infer/modelPool.ts';
import type { OpenModelOptions } from '../../models/openModel.ts';
import { ChatEndpoint, defaultEndpointOptions } from '../../teachers/endpoint/chatEndpoint.ts';
import { EndpointTeacher } from '../../teachers/endpointTeacher.ts';
import { LocalTeacher } from '../../teachers/localTeacher.ts';
import type { Teacher } from '../../teachers/teacher.ts';
import { distillDataset } from '../distill/distillDataset.ts';
import type { JobWarning } from '../jobEvents.ts';
import { resultAsModel, type StageResult } from './stageResult.ts';

export interface StageInputs {
  /** The pipeline's own run folder. */
  readonly run: string;
  /** Of the pipeline. */
  readonly name: string;
  readonly stage: PipelineStage;
  /** Of the stage before. */
  readonly previous: StageResult | undefined;
  /** Of the stage that teaches, where one does. */
  readonly teacher: StageResult | undefined;
}

export interface MakingOptions {
  /** Of endpoints that teach. */
  readonly endpointKeys: EndpointKeys;
  readonly models: OpenModelOptions;
  readonly signal: AbortSignal;
  readonly onPhase: (name: string, done: number, total: number) => void;
  readonly onWarning: (warning: JobWarning) => void;
}

/** Whether making the request computes, so that it has to wait for the device. */
export function hasToCompute({ stage, previous, teacher }: StageInputs): boolean {
  const merges = stage.start === 'merge' && previous?.output.kind === 'adapter';
  const answers = stage.distill === 'answers' && stage.teacher?.kind !== 'endpoint';
  return merges || answers || (stage.distill === 'logits' && teacher?.output.kind === 'adapter');
}

/** @throws TuneError; AbortError when cancelled, what was made until then is kept */
export async function makeStageRequest(inputs: StageInputs, options: MakingOptions): Promise<RunRequest> {
  const { run, name, stage, previous } = inputs;
  const continues = stage.start === 'continue' && previous?.output.kind === 'adapter';
  const teacher = stage.distill === 'logits' ? await nameTeacher(inputs, options) : undefined;
  return {
    name: `${name} ${stage.name}`.slice(-120),
    model: await nameModel(inputs, options),
    ...(teacher === undefined ? {} : { teacher }),
    datasets: stage.distill === 'answers' ? await makeAnswers(inputs, options) : stage.datasets,
    hyperparameters: stage.hyperparameters,
    overrides: stage.overrides,
    parents: [basename(run)],
    ...(continues ? { startFrom: { mode: 'continue' as const, adapters: [previous.run] } } : {}),
  };
}

async function nameModel({ stage, previous }: StageInputs, { models, onPhase }: MakingOptions): Promise<string> {
  if (stage.model !== null) return stage.model;
  if (previous === undefined) throw new Error(`internal: stage ${stage.name}: expected a stage before it, got none`);
  if (stage.start !== 'merge') return previous.base;
  onPhase(`merging the adapter of ${previous.name}`, 0, 1);
  return resultAsModel(previous, models);
}

async function nameTeacher(
  { stage, teacher }: StageInputs,
  { models, onPhase }: MakingOptions,
): Promise<string | undefined> {
  if (stage.teacher?.kind === 'model') return stage.teacher.model;
  if (teacher === undefined) return undefined;
  onPhase(`merging the adapter of ${teacher.name}`, 0, 1);
  return resultAsModel(teacher, models);
}

async function makeAnswers(
  { run, stage, teacher }: StageInputs,
  { models, signal, onPhase, onWarning, endpointKeys }: MakingOptions,
): Promise<RunRequest['datasets']> {
  const { seed, evalRatio, testRatio } = stage.hyperparameters;
  const settings = { maxTokens: stage.maxTokens, temperature: 0, topP: 1, seed };
  const openTeacher = async (): Promise<Teacher> => {
    if (stage.teacher?.kind === 'endpoint') return openEndpoint(stage.teacher, settings, endpointKeys);
    const pool = new ModelPool({ models, onProgress: (_, phase, done, total) => onPhase(phase, done, total) });
    try {
      const model = stage.teacher?.kind === 'model' ? stage.teacher.model : teacher!.base;
      const adapter = teacher?.output.kind === 'adapter' ? teacher.run : null;
      const attached = await pool.attach(model, adapter, signal);
      return new LocalTeacher(teacher?.name ?? model, attached, settings, () => pool.release());
    } catch (error) {
      await pool.release();
      throw error;
    }
  };
  const made: RunRequest['datasets'] = [];
  for (const [index, { path, mapping }] of stage.datasets.entries()) {
    const out = join(run, runNames.stages, stage.name, `answers-${index + 1}.jsonl`);
    if (!existsSync(out)) {
      await distillDataset(
        {
          dataset: path,
          mapping,
          skipBrokenRows: stage.overrides.includes('brokenRows'),
          split: { seed, evalRatio, testRatio },
          settings,
          keepCut: stage.keepCut,
          out,
          onProgress: (done, total) => onPhase('asking the teacher', done, total),
          onWarning,
          signal,
        },
        openTeacher,
      );
    }
    made.push({ path: out, mapping: null });
  }
  return made;
}

function openEndpoint(
  { baseUrl, model, requestsPerMinute }: Extract<PipelineStage['teacher'], { kind: 'endpoint' }>,
  settings: DecodingSettings,
  keys: EndpointKeys,
): Teacher {
  const address = { baseUrl, model, apiKey: findEndpointKey(keys, baseUrl) };
  return new EndpointTeacher(new ChatEndpoint(address, { ...defaultEndpointOptions, requestsPerMinute }), settings);
}
