/** Runs of the PyTorch engine through the command line, each in a place of its own, and what their folders say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainResult } from '../../src/shared/commandLine.ts';
import { parseMetrics, type RunSeries } from '../../src/shared/runState.ts';
import { requirePython } from '../support/externals.ts';
import { makePlace, type Place, runCli } from '../support/programs.ts';
import { writeTinyDataset, writeTinyModel } from '../support/tinyModel.ts';

/** A tiny model, 40 rows, and a Python that has what the engine needs. */
export function makePytorchPlace(): Place {
  const place = makePlace();
  writeTinyModel(join(place.folder, 'model'), { heads: 2 });
  writeTinyDataset(join(place.folder, 'rows.jsonl'));
  return { ...place, env: { ...place.env, TUNING_FORK_PYTHON: requirePython() } };
}

export type Settings = Readonly<Record<string, string | number | boolean>>;

const common: Settings = {
  engine: 'pytorch',
  maxSteps: 6,
  evalEverySteps: 3,
  contextTokens: 48,
  batchRows: 2,
  learningRate: 0.01,
  threads: 1,
  baseWeights: 'float32',
  memoryLimitBytes: 2e9,
};

export function trainArguments(settings: Settings, dataset = 'rows.jsonl', model = 'model'): string[] {
  const sets = Object.entries({ ...common, ...settings }).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  return ['train', dataset, '--model', model, '--runs', 'store', '--json', ...sets];
}

export interface FinishedRun {
  readonly result: TrainResult;
  readonly series: RunSeries;
  readonly losses: number[];
}

/** Trains to the end; fails with the engine's own words. */
export async function train(
  place: Place,
  settings: Settings,
  dataset?: string,
  model?: string,
  more: readonly string[] = [],
): Promise<FinishedRun> {
  const { code, lines, errorText } = await runCli([...trainArguments(settings, dataset, model), ...more], place);
  const last = lines.at(-1);
  if (code !== 0 || last?.type !== 'result') throw new Error(`train ended with ${code}:\n${errorText}`);
  return readFinished(last as unknown as TrainResult);
}

export function readFinished(result: TrainResult): FinishedRun {
  const series = readSeries(result.path);
  return { result, series, losses: series.steps.map(({ lossNats }) => lossNats) };
}

export const readSeries = (run: string): RunSeries => parseMetrics(readFileSync(join(run, 'metrics.jsonl'), 'utf8'));
export const readStatusFile = (run: string) => JSON.parse(readFileSync(join(run, 'status.json'), 'utf8'));

/** The held-out loss of a run's output as the embedded engine measures it. */
export async function evaluate(place: Place, run: string): Promise<number> {
  const isAdapter = readFileSync(join(run, 'run.json'), 'utf8').includes('"method": "lora"');
  const model = isAdapter ? 'model' : join(run, 'model');
  const adapter = isAdapter ? ['--adapter', run] : [];
  const { lines, errorText } = await runCli(
    ['eval', '--model', model, ...adapter, '--run', run, '--split', 'heldOut', '--json'],
    place,
  );
  const evaluations = lines.filter(line => line.type === 'evaluation') as unknown as { evalLossNats: number }[];
  if (evaluations.length === 0) throw new Error(errorText);
  return evaluations.at(-1)!.evalLossNats;
}

/** The largest difference of two lists of equal length, for messages and limits. */
export function largestDifference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
}
