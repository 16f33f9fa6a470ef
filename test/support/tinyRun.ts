/** A run's folder on the tiny model and dataset, and the job that trains it, for tests. */
import { join } from 'node:path';
import type { JobEnd, JobEvent } from '../../src/core/jobs/jobEvents.ts';
import { type TrainJobInput, trainJob } from '../../src/core/jobs/train/trainJob.ts';
import { createRunFolder } from '../../src/core/runs/runStore.ts';
import { defaultHyperparameters, type Hyperparameters } from '../../src/shared/hyperparameters.ts';
import type { RunRequest } from '../../src/shared/recipe.ts';
import { type TinyModelOptions, writeTinyDataset, writeTinyModel } from './tinyModel.ts';

export interface TinyRunOptions {
  readonly settings?: Partial<Hyperparameters>;
  readonly request?: Partial<RunRequest>;
  readonly model?: TinyModelOptions;
}

/** Model and dataset in `folder`, and a queued run in its store. Returns the run's folder. */
export function makeTinyRun(folder: string, { settings, request, model: shape }: TinyRunOptions = {}): string {
  const model = writeTinyModel(join(folder, 'model'), shape);
  const dataset = writeTinyDataset(join(folder, 'rows.jsonl'));
  return addTinyRun(folder, {
    name: 'tiny run',
    model,
    datasets: [{ path: dataset, mapping: null }],
    hyperparameters: {
      ...defaultHyperparameters,
      maxSteps: 6,
      contextTokens: 48,
      batchRows: 2,
      evalEverySteps: 2,
      learningRate: 0.01,
      threads: 1,
      memoryLimitBytes: 2e9,
      ...settings,
    },
    overrides: [],
    parents: [],
    ...request,
  });
}

export function addTinyRun(folder: string, request: RunRequest): string {
  return createRunFolder(join(folder, 'store'), request, new Date('2026-11-24T09:30:00Z')).path;
}

/** Runs a job to its end. `onEvent` may say what is asked of it from then on. */
export async function runJob(
  run: string,
  input: Partial<TrainJobInput> = {},
  onEvent: (event: JobEvent) => 'pause' | 'stop' | undefined = () => undefined,
): Promise<{ events: JobEvent[]; end: JobEnd }> {
  let asked: 'continue' | 'pause' | 'stop' = 'continue';
  let clock = 0;
  const job = trainJob({
    run,
    attempt: 1,
    control: { ask: () => asked, takeCheckpointRequest: () => false },
    hub: undefined,
    tinyFolder: '/nowhere',
    now: () => (clock += 1),
    ...input,
  });
  const events: JobEvent[] = [];
  for (;;) {
    const next = await job.next();
    if (next.done === true) return { events, end: next.value };
    events.push(next.value);
    asked = onEvent(next.value) ?? asked;
  }
}
