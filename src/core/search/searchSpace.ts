/**
 * @file A recipe -> the settings worth searching and their ranges; `name=low..high:log` or `name=a|b` -> a range of one's
 * own. Settings that change what is measured are refused: trials could not be told apart by their loss.
 */
import { TuneError } from '../../shared/errors.ts';
import {
  checkHyperparameter,
  type HyperparameterName,
  type Hyperparameters,
  hasEffect,
  hyperparameterNames,
  hyperparameterTable,
  parseHyperparameter,
} from '../../shared/hyperparameters.ts';
import type { RunRequest } from '../../shared/recipe.ts';
import { cleaningName, type Distribution, type SearchParameter } from '../../shared/searchRecord.ts';
import { checkCleaningParameter, findCleaningChoice, parseCleaningParameter } from './cleaningChoice.ts';
import { printInternal } from './distributions.ts';

/** What a trial is measured by, where it runs and what it keeps. */
const fixedNames: readonly HyperparameterName[] = [
  'objective',
  'dpoBeta',
  'dpoLabelSmoothing',
  'rpoAlpha',
  'distillAlpha',
  'distillTemperature',
  'distillTopK',
  'contextTokens',
  'trainOn',
  'reviewedRows',
  'splitBy',
  'evalRatio',
  'testRatio',
  'evalEverySteps',
  'saveEverySteps',
  'keepCheckpoints',
  'samplePrompts',
  'seed',
  'engine',
  'device',
  'threads',
  'memoryLimitBytes',
];

type Ranges = { readonly [Name in HyperparameterName]?: (base: Hyperparameters) => Distribution };

const integer = (low: number, high: number, log = false): Distribution => ({ kind: 'integer', low, high, log });
const real = (low: number, high: number, log = false): Distribution => ({ kind: 'real', low, high, log });
const choice = (...choices: string[]): Distribution => ({ kind: 'choice', choices });

/** Around the recipe's own values, which belong to every range. */
const ranges: Ranges = {
  learningRate: ({ learningRate }) => real(Math.max(1e-8, learningRate / 8), Math.min(1, learningRate * 8), true),
  rank: ({ rank }) => integer(Math.min(4, rank), Math.max(64, rank), true),
  targetModules: () => choice('q_proj,v_proj', 'q_proj,k_proj,v_proj,o_proj', 'all'),
  dropout: ({ dropout }) => real(0, Math.max(0.2, dropout)),
  epochs: ({ epochs }) => integer(Math.max(1, Math.floor(epochs / 2)), Math.max(2, Math.ceil(1.5 * epochs))),
  batchRows: ({ batchRows }) => integer(Math.max(1, Math.floor(batchRows / 2)), Math.min(1024, 2 * batchRows), true),
  weightDecay: ({ weightDecay }) => real(0, Math.max(0.1, weightDecay)),
  warmupRatio: ({ warmupRatio }) => real(0, Math.max(0.2, warmupRatio)),
  alpha: ({ alpha }) => real(alpha / 4, Math.min(4096, 4 * alpha), true),
  loraPlusRatio: ({ loraPlusRatio }) => real(Math.min(1, loraPlusRatio), Math.max(32, loraPlusRatio), true),
  gradientAccumulation: ({ gradientAccumulation: steps }) => integer(1, Math.min(1024, 4 * steps), true),
};

const searchedByDefault: readonly HyperparameterName[] = [
  'learningRate',
  'rank',
  'targetModules',
  'dropout',
  'epochs',
  'batchRows',
];
const searchedInFull: readonly HyperparameterName[] = ['learningRate', 'epochs', 'batchRows', 'weightDecay'];

/** The settings that usually matter, those without effect on this recipe left out. */
export function suggestSpace(base: Hyperparameters): SearchParameter[] {
  const names = base.method === 'full' ? searchedInFull : searchedByDefault;
  return names
    .filter(name => hasEffect(name, base) && !(name === 'epochs' && base.maxSteps !== null))
    .map(name => ({ name, distribution: ranges[name]!(base) }));
}

/** @param text `name`, `name=low..high`, `name=low..high:log` or `name=a|b|c`. @throws TuneError `usage` */
export function parseParameter(text: string, base: Hyperparameters): SearchParameter {
  const [, name = '', range] = /^([^=]*)(?:=(.*))?$/s.exec(text.trim()) ?? [];
  if (name.trim() === cleaningName) {
    const parameter = parseCleaningParameter(range);
    checkParameter(parameter);
    return parameter;
  }
  const known = hyperparameterNames.find(candidate => candidate === name.trim());
  if (known === undefined) {
    throw new TuneError('usage', `--space: expected a hyperparameter, got "${name.trim()}"`, {
      hint: `One of: ${hyperparameterNames.filter(other => !fixedNames.includes(other)).join(', ')}, ${cleaningName}.`,
    });
  }
  const distribution = range === undefined ? suggestRange(known, base) : parseRange(known, range.trim());
  const parameter = { name: known, distribution };
  checkParameter(parameter);
  return parameter;
}

/** @throws TuneError `usage` for a setting that may not be searched, or values that it cannot have */
export function checkParameter({ name, distribution }: SearchParameter): void {
  if (name === cleaningName) {
    checkCleaningParameter(distribution);
    return;
  }
  if (fixedNames.includes(name)) {
    throw new TuneError(
      'usage',
      `--space ${name}: expected a setting that leaves what is measured as it is, got ${name}`,
      {
        hint: 'Give it one value for the whole search: --set',
      },
    );
  }
  const refuse = (expected: string, got: string) =>
    new TuneError('usage', `--space ${name}: expected ${expected}, got ${got}`);
  if (distribution.kind !== 'choice') {
    const { low, high, log } = distribution;
    if (!(low < high)) throw refuse('a low end below the high one', `${low}..${high}`);
    if (log && low <= 0) throw refuse('a low end above 0 of a logarithmic range', `${low}`);
  }
  const ends =
    distribution.kind === 'choice' ? distribution.choices.map((_, i) => i) : [distribution.low, distribution.high];
  for (const end of ends) {
    const text = printInternal(distribution, end);
    const problem = checkHyperparameter(name, parseHyperparameter(name, text));
    if (problem !== undefined) throw new TuneError('usage', `--space ${name}: ${problem}`);
  }
}

function suggestRange(name: HyperparameterName, base: Hyperparameters): Distribution {
  const suggest = ranges[name];
  if (suggest !== undefined) return suggest(base);
  const setting = hyperparameterTable[name];
  if (setting.kind === 'flag') return choice('false', 'true');
  if (setting.kind === 'choice') return choice(...setting.choices.map(({ value }) => value));
  throw new TuneError('usage', `--space ${name}: expected a range, got none`, { hint: `As ${name}=low..high:log` });
}

function parseRange(name: HyperparameterName, range: string): Distribution {
  const setting = hyperparameterTable[name];
  const [, low, high, scale] = /^([^.|]+(?:\.\d[^.|]*)?)\.\.([^:]+?)(:log)?$/.exec(range) ?? [];
  if (low === undefined || high === undefined) {
    const choices = range.split('|').map(text => text.trim());
    if (choices.some(text => text === '')) {
      throw new TuneError('usage', `--space ${name}: expected low..high, low..high:log or a|b|c, got "${range}"`);
    }
    return { kind: 'choice', choices };
  }
  const [from, to] = [Number(low), Number(high)];
  if (!Number.isFinite(from) || !Number.isFinite(to) || !('min' in setting)) {
    throw new TuneError('usage', `--space ${name}: expected numbers as low..high, got "${range}"`);
  }
  const isWhole = setting.kind !== 'number';
  if (isWhole && !(Number.isInteger(from) && Number.isInteger(to))) {
    throw new TuneError('usage', `--space ${name}: expected whole numbers as low..high, got "${range}"`);
  }
  return { kind: isWhole ? 'integer' : 'real', low: from, high: to, log: scale !== undefined };
}

/**
 * The recipe with a trial's settings. Alpha follows the rank unless it is searched itself: the adapter's scale stays.
 * @param settings texts by name, as after `--set`
 */
export function applySettings(base: Hyperparameters, settings: ReadonlyMap<string, string>): Hyperparameters {
  const changed: Record<string, unknown> = { ...base };
  for (const [name, text] of settings) {
    const known = hyperparameterNames.find(candidate => candidate === name);
    if (known !== undefined) changed[known] = parseHyperparameter(known, text);
  }
  const tried = changed as Hyperparameters;
  if (!settings.has('rank') || settings.has('alpha')) return tried;
  return { ...tried, alpha: Math.min(4096, Math.max(0.1, (base.alpha / base.rank) * tried.rank)) };
}

/** The recipe's own values as fixed parameters of a first trial; undefined where one lies outside its range. */
export function describeBase(
  { hyperparameters: base, datasets }: Pick<RunRequest, 'hyperparameters' | 'datasets'>,
  space: readonly SearchParameter[],
): Record<string, string | number> | undefined {
  const values: Record<string, string | number> = {};
  for (const { name, distribution } of space) {
    if (name === cleaningName) {
      const choice = findCleaningChoice(datasets, distribution);
      if (choice === undefined) return undefined;
      values[name] = choice;
      continue;
    }
    const value = base[name];
    if (distribution.kind === 'choice') {
      const same = distribution.choices.find(
        text => JSON.stringify(parseHyperparameter(name, text)) === JSON.stringify(value),
      );
      if (same === undefined) return undefined;
      values[name] = same;
      continue;
    }
    if (typeof value !== 'number' || value < distribution.low || value > distribution.high) return undefined;
    if (distribution.kind === 'integer' && !Number.isInteger(value)) return undefined;
    values[name] = value;
  }
  return values;
}
