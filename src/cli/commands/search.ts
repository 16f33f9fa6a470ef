/** `tuning-fork search`: a dataset and a model -> the settings that work best on it, by trying some. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseParameter, suggestSpace } from '../../core/search/searchSpace.ts';
import { TuneError } from '../../shared/errors.ts';
import type { Hyperparameters } from '../../shared/hyperparameters.ts';
import {
  type SearchMetric,
  type SearchParameter,
  type SearchSettings,
  searchMetrics,
  searchSettingsSchema,
  spaceFileSchema,
} from '../../shared/searchRecord.ts';
import { runAttachedTrainer } from '../attachedTrainer.ts';
import type { Command, CommandArguments } from '../command.ts';
import { describeHyperparameters, readRequest, requestOptions, runsOption, storeFolder } from '../runOptions.ts';

export const search: Command = {
  name: 'search',
  summary: 'Find good settings for a dataset and a model by trying some.',
  usage: '<dataset> --model M --trials N|--minutes M|--tokens T [--space k=low..high[:log]|FILE]... [--set k=v]...',
  options: [
    ...requestOptions,
    { name: 'recipe', value: 'run.json', help: 'Begin with the recipe of a run.' },
    { name: 'trials', value: 'N', help: 'End after N trials.' },
    { name: 'minutes', value: 'M', help: 'End after M minutes; trials under way then are ended too.' },
    { name: 'tokens', value: 'T', help: 'End when all trials together have trained on T tokens.' },
    {
      name: 'space',
      value: 'k=RANGE|FILE',
      isRepeatable: true,
      help: 'What to search: k=low..high, k=low..high:log, k=a|b|c, k alone for its usual range, or a JSON file; may be repeated. cleaning=off|basic|strict varies how training rows are cleaned. Default: what usually matters, with cleaning and the share of synthetic rows where they change the training rows.',
    },
    {
      name: 'sampler',
      value: 'S',
      help: 'Who thinks of settings: tpe (default), random, or a class of optuna.samplers as optuna:CmaEsSampler.',
    },
    {
      name: 'pruner',
      value: 'P',
      help: 'Who ends bad trials early: halving (default), median, none, or a class of optuna.pruners as optuna:HyperbandPruner.',
    },
    { name: 'metric', value: 'NAME', help: `What counts: ${searchMetrics.join(' or ')}; default heldOutLoss.` },
    {
      name: 'winner',
      value: 'keep|retrain',
      help: 'What becomes of the best trial: its adapter as it is (default), or trained anew on the held-out rows too.',
    },
    {
      name: 'parallel',
      value: 'N',
      help: 'Trials at once, as far as memory has room; default 1, or as many as `threads` leaves processors for.',
    },
    { name: 'search-seed', value: 'N', help: 'Seed of the sampler, default 42.' },
    { name: 'name', value: 'TEXT', help: 'Name of the search, default that of the dataset.' },
    runsOption,
  ],
  maxPositionals: 1,
  details: `The first trial has the settings given with --set. A tenth of the rows is kept aside as test rows that no trial sees
(testRatio), and the winner is judged on them once. The study is in Optuna's own journal file, optuna.journal in the
folder of the search. Samplers and pruners of Optuna run in the Python that TUNING_FORK_PYTHON names, else in the environment of tuning-fork python, else python3.

${describeHyperparameters()}`,
  run: (args, output) => {
    const base = readRequest(args);
    const settings = readSettings(args, base.hyperparameters);
    const request = { kind: 'search' as const, name: base.name, base, settings, automatic: null, parents: [] };
    return runAttachedTrainer({ type: 'start', store: storeFolder(args), request, attached: true }, output);
  },
};

function readSettings(args: CommandArguments, base: Hyperparameters): SearchSettings {
  const budget = {
    trials: args.integer('trials', 1, 100_000) ?? null,
    minutes: args.number('minutes', 0.01, 1_000_000) ?? null,
    tokens: args.integer('tokens', 1, Number.MAX_SAFE_INTEGER) ?? null,
  };
  if (Object.values(budget).every(value => value === null)) {
    throw new TuneError('usage', '--trials, --minutes or --tokens: expected a budget, got none', {
      hint: 'As --trials 12, or --minutes 30.',
    });
  }
  const given = args.many('space').flatMap(text => readSpace(text, base));
  const space = given.length > 0 ? given : suggestSpace(base);
  const twice = space.find(({ name }, i) => space.findIndex(other => other.name === name) !== i);
  if (twice !== undefined) throw new TuneError('usage', `--space ${twice.name}: expected it once, got it twice`);
  const settings = {
    space,
    offersDataChoices: given.length === 0,
    budget,
    sampler: args.one('sampler') ?? 'tpe',
    pruner: args.one('pruner') ?? 'halving',
    metric: readMetric(args.one('metric')),
    winner: readWinner(args.one('winner')),
    parallel: args.integer('parallel', 1, 64) ?? null,
    seed: args.integer('search-seed', 0, 2_147_483_647) ?? 42,
  };
  const parsed = searchSettingsSchema.safeParse(settings);
  if (parsed.success) return parsed.data;
  const name = String(parsed.error.issues[0]?.path[0]);
  const got = name === 'sampler' || name === 'pruner' ? settings[name] : parsed.error.issues[0]?.message;
  throw new TuneError('usage', `--${name}: expected one that is listed, got "${got}"`, {
    hint: 'See: tuning-fork search --help',
  });
}

function readMetric(text: string | undefined): SearchMetric {
  const metric = text === undefined ? 'heldOutLoss' : searchMetrics.find(name => name === text);
  if (metric !== undefined) return metric;
  throw new TuneError('usage', `--metric: expected one of ${searchMetrics.join(', ')}, got "${text}"`);
}

function readWinner(text = 'keep'): SearchSettings['winner'] {
  if (text === 'keep' || text === 'retrain') return text;
  throw new TuneError('usage', `--winner: expected keep or retrain, got "${text}"`);
}

function readSpace(text: string, base: Hyperparameters): SearchParameter[] {
  if (!/\.json$/i.test(text)) return [parseParameter(text, base)];
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(resolve(text), 'utf8'));
  } catch (error) {
    const got = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new TuneError('usage', `--space ${text}: expected a JSON file, got ${got}`, { file: resolve(text) });
  }
  const parsed = spaceFileSchema.safeParse(value);
  if (parsed.success)
    return parsed.data.map(entry => (typeof entry === 'string' ? parseParameter(entry, base) : entry));
  const issue = parsed.error.issues[0];
  throw new TuneError(
    'usage',
    `--space ${text}, ${issue?.path.join('.')}: expected a list of ranges, got ${issue?.message}`,
    { file: resolve(text), hint: 'As ["learningRate=1e-5..1e-3:log", "rank=8|16|32"].' },
  );
}
