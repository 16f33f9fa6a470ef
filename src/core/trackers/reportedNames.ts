/** @file A run's record and rows -> the names and values that every tracker shows, the same in all of them. */
import type { RunRecord } from '../../shared/recipe.ts';
import { type EvaluationRow, measureNames, type StepRow } from '../../shared/runFolder.ts';

export type ConfigValue = string | number | boolean;

/** Scalars of a row: `train/...` and `eval/...`, in snake case as the field writes them. */
export function listScalars(row: StepRow | EvaluationRow): [string, number][] {
  const prefix = row.kind === 'step' ? 'train' : 'eval';
  const scalars: [string, number][] =
    row.kind === 'step'
      ? [
          ['train/loss', row.lossNats],
          ['train/learning_rate', row.learningRate],
          ['train/grad_norm', row.gradNorm],
          ['train/epoch', row.epoch],
          ['train/supervised_tokens', row.supervisedTokens],
          ['train/tokens_per_second', row.tokensPerSecond],
          ['train/peak_rss_bytes', row.peakRssBytes],
        ]
      : [
          ['eval/loss', row.evalLossNats],
          ['eval/supervised_tokens', row.supervisedTokens],
        ];
  for (const name of measureNames) {
    const value = row[name];
    if (value !== undefined) scalars.push([`${prefix}/${toSnakeCase(name)}`, value]);
  }
  return scalars;
}

/** The recipe as flat names and values; lists are joined, what is not set is left out. */
export function listConfig(record: RunRecord): [string, ConfigValue][] {
  const { model, datasets, forecast, hyperparameters } = record;
  const config: [string, ConfigValue][] = [
    ['model', model.id],
    ['model_sha256', model.sha256],
    ...(record.teacher ? [['teacher', record.teacher.id] as [string, ConfigValue]] : []),
    ['dataset', datasets.map(dataset => fileName(dataset.path)).join(', ')],
    ['dataset_sha256', datasets.map(dataset => dataset.sha256).join(', ')],
    ['engine', record.engine],
    ['train_rows', forecast.trainRows],
    ['held_out_rows', forecast.heldOutRows],
    ['total_steps', forecast.totalSteps],
  ];
  // What a setting was resolved to stands above: `auto` says nothing.
  const resolved = new Set(config.map(([name]) => name));
  for (const [name, value] of Object.entries(hyperparameters)) {
    if (value === null || value === undefined || resolved.has(toSnakeCase(name))) continue;
    const shown = Array.isArray(value) ? value.join(', ') : value;
    if (shown !== '') config.push([toSnakeCase(name), isConfigValue(shown) ? shown : JSON.stringify(shown)]);
  }
  return config;
}

/** Milliseconds since 1970 that a row stands for, always the same: start of the run plus its training time. */
export function timeRow(record: Pick<RunRecord, 'createdAt'>, row: { elapsedMs: number }): number {
  return Math.round(Date.parse(record.createdAt) + row.elapsedMs);
}

function isConfigValue(value: unknown): value is ConfigValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
}

function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}
