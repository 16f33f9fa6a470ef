/** @file A run's facts -> README.md beside its weights. Says nothing of time and place: the same run gives the same card. */
import { basename } from 'node:path';
import { type HyperparameterName, hasEffect } from '../../shared/hyperparameters.ts';
import type { RunRecord } from '../../shared/recipe.ts';
import type { TrainState } from '../train/trainState.ts';

export type CardFacts = Pick<RunRecord, 'model' | 'datasets' | 'hyperparameters' | 'forecast' | 'startFrom'> & {
  readonly name: string;
  readonly state: TrainState;
};

/** A Hub id when the base model came from the Hub, otherwise where it lies. */
export function baseModelName({ id, path, format }: RunRecord['model']): string {
  const isHubId = format === 'safetensors' && /^[\w.-]+\/[\w.-]+$/.test(id) && !path.endsWith(id);
  return isHubId ? id : path;
}

export function writeModelCard(facts: CardFacts): string {
  const { model, datasets, hyperparameters: h, forecast, state } = facts;
  const isLora = h.method === 'lora';
  const base = shortName(model);
  const what = isLora ? `LoRA adapter of rank ${h.rank}` : 'model with all weights trained';
  const lines = [
    '---',
    ...(isLora ? ['library_name: peft'] : ['library_name: transformers']),
    `base_model: ${JSON.stringify(base)}`,
    'pipeline_tag: text-generation',
    `tags: [${isLora ? 'lora, ' : ''}sft, tuning-fork]`,
    '---',
    '',
    `# ${facts.name.replace(/\s+/g, ' ')}`,
    '',
    `A ${what}, fine-tuned from \`${base}\` (\`${model.modelType}\`) with Tuning Fork.`,
    '',
    ...describeStart(facts.startFrom),
    '## Result',
    '',
    '| | |',
    '|---|---|',
    `| optimizer steps | ${state.step} of ${forecast.totalSteps} |`,
    ...row('held-out loss of the base model (nats)', state.baseEvalLossNats),
    ...row(`held-out loss of these weights (nats), step ${state.bestStep}`, state.bestEvalLossNats),
    ...row('last training loss (nats)', state.lastLossNats),
    '',
    '## Data',
    '',
    '| file | sha256 |',
    '|---|---|',
    ...datasets.map(d => `| ${basename(d.path)} (${d.mapping.kind}) | \`${d.sha256}\` |`),
    '',
    `${forecast.trainRows} rows for training, ${forecast.heldOutRows} held out; ${forecast.tokensPerEpoch} tokens an epoch, ${forecast.supervisedTokensPerEpoch} of them supervised.`,
    '',
    '## Hyperparameters',
    '',
    '| | |',
    '|---|---|',
    ...Object.entries(h)
      .filter(
        ([name, value]) =>
          !machineSettings.has(name) &&
          !(name === 'precision' && value === 'auto') &&
          hasEffect(name as HyperparameterName, h),
      )
      .map(([name, value]) => `| ${name} | ${formatValue(value)} |`),
    '',
    '## Base model',
    '',
    `\`${base}\`, sha256 of its weights \`${model.sha256}\`.`,
    ...describeHeldWeights(facts),
    '',
    '## Licence',
    '',
    'These weights are derived from the base model and the data above: the licences of both apply to them.',
    '',
  ];
  return lines.join('\n');
}

/** What the adapter was trained beside, where that was not the weights as they are. */
function describeHeldWeights({ forecast, model }: CardFacts): string[] {
  if (forecast.baseWeights !== '4bit') return [];
  const held =
    model.format === 'gguf'
      ? 'as the file holds them in quantized blocks, dequantized'
      : 'rounded to 4 bit (embedding and head to 8), dequantized';
  return ['', `The adapter was trained beside these weights ${held}: it belongs to the dequantized weights.`];
}

/** Where a run computes has no place on its card. */
const machineSettings = new Set([
  'engine',
  'gradientCheckpointing',
  'launcher',
  'processes',
  'hosts',
  'maxRestarts',
  'sharding',
  'shardingConfig',
  'launcherConfig',
  'device',
  'threads',
  'memoryLimitBytes',
  'samplePrompts',
  'keepCheckpoints',
  'saveEverySteps',
]);

function shortName(model: RunRecord['model']): string {
  const name = baseModelName(model);
  return name === model.path ? basename(name) : name;
}

/** Of adapters their names and hashes: where they lay is nobody's business. */
function describeStart(start: CardFacts['startFrom']): string[] {
  if (start === undefined) return [];
  const what =
    start.mode === 'continue'
      ? 'Training went on from this adapter:'
      : 'Trained on top of these adapters, which are part of this one, their ranks beside its own:';
  return [
    '## Earlier adapters',
    '',
    what,
    '',
    ...start.adapters.map(({ path, sha256 }) => `- ${basename(path)}, sha256 of its files \`${sha256}\``),
    '',
  ];
}

function row(label: string, value: number | null): string[] {
  return value === null ? [] : [`| ${label} | ${value.toFixed(4)} |`];
}

function formatValue(value: unknown): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return 'not set';
  return Array.isArray(value) ? value.join(', ') : String(value);
}
