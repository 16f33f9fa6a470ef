/** Options that several commands share: where runs are kept, and what a run is to be. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { adoptedNames } from '../core/adapter/adoptedSettings.ts';
import { parseCleaning } from '../core/data/clean/parseCleaning.ts';
import { parseMapping } from '../core/data/mapping/mapping.ts';
import { parseEncoding } from '../core/data/read/textEncoding.ts';
import { findRun } from '../core/runs/runStore.ts';
import { usualCleaning } from '../shared/cleaning.ts';
import type { TextEncoding } from '../shared/datasetFormats.ts';
import { TuneError } from '../shared/errors.ts';
import {
  checkHyperparameter,
  defaultHyperparameters,
  type HyperparameterName,
  type Hyperparameters,
  hyperparameterNames,
  hyperparametersSchema,
  hyperparameterTable,
  parseHyperparameter,
} from '../shared/hyperparameters.ts';
import { applyPreset, type Preset, presets } from '../shared/presets.ts';
import {
  type ModelReference,
  type OverrideName,
  overrideNames,
  type RunRecord,
  type RunRequest,
  runRecordSchema,
} from '../shared/recipe.ts';
import type { CommandArguments, CommandOption } from './command.ts';

export const runsOption: CommandOption = {
  name: 'runs',
  value: 'DIR',
  help: 'Folder that holds runs and their datasets, default .tuning-fork in the working directory.',
};

export const encodingOption: CommandOption = {
  name: 'encoding',
  value: 'NAME',
  help: 'Encoding of the dataset: utf-8, utf-16le, utf-16be, gbk, latin1; default detected.',
};

export const requestOptions: readonly CommandOption[] = [
  { name: 'model', value: 'M', help: 'Base model: tiny, a folder, a .gguf file or a Hub id.' },
  { name: 'teacher', value: 'M', help: 'Model to learn from (objective=distill), named like the base model.' },
  { name: 'preset', value: 'NAME', help: `Start from a preset: ${presets.map(({ id }) => id).join(', ')}. See below.` },
  { name: 'set', value: 'k=v', isRepeatable: true, help: 'Set a hyperparameter; may be repeated. See below.' },
  {
    name: 'mapping',
    value: 'KIND[:slot=field,...]',
    help: 'How fields become conversations, as questionAnswer:question=q,answer=a; default detected.',
  },
  encodingOption,
  {
    name: 'clean',
    value: 'STEPS',
    help: 'Clean the training rows first: usual, or steps as of tuning-fork clean. Held-out rows stay as they are.',
  },
  {
    name: 'override',
    value: 'NAME',
    isRepeatable: true,
    help: `Insist although a check refuses: ${overrideNames.join(', ')}.`,
  },
];

const maxNameCharacters = 120;

export function storeFolder(args: CommandArguments): string {
  return resolve(args.one('runs') ?? '.tuning-fork');
}

/** The hyperparameters as lines of help. */
export function describeHyperparameters(): string {
  return [
    'Presets (--preset name):',
    ...presets.map(({ id, help }) => `  ${id}: ${help}`),
    'Hyperparameters (--set name=value):',
    ...hyperparameterNames.map(name => `  ${name}: ${hyperparameterTable[name].help}`),
  ].join('\n');
}

/** What is to be run. Paths are made absolute: the trainer works elsewhere. @throws TuneError `usage` */
export function readRequest(args: CommandArguments, fallbackModel?: string): RunRequest {
  const recipe = readRecipe(args.one('recipe'));
  const dataset = args.positionals[0];
  const mappingText = args.one('mapping');
  const mapping = mappingText === undefined ? null : parseMapping(mappingText);
  const encoding = readEncoding(args);
  const steps = args.one('clean');
  const cleaning = steps === undefined ? undefined : steps === 'usual' ? usualCleaning : parseCleaning(steps);
  const datasets = dataset === undefined ? recipe?.datasets : [{ path: resolve(dataset), mapping, encoding, cleaning }];
  if (datasets === undefined) args.positional(0, 'dataset');
  const preset = readPreset(args.one('preset'));
  const given =
    args.one('model') ?? preset?.model ?? fallbackModel ?? (recipe === undefined ? args.required('model') : undefined);
  const path = datasets?.[0]?.path ?? '';
  const teacherName = args.one('teacher');
  const teacher = teacherName === undefined ? recipe?.teacher && nameAgain(recipe.teacher) : resolveModel(teacherName);
  return {
    name: readName(args.one('name')) ?? basename(path, extname(path)).slice(0, maxNameCharacters),
    model: given === undefined ? nameAgain(recipe!.model) : resolveModel(given),
    ...(teacher === undefined ? {} : { teacher }),
    datasets: (datasets ?? []).map(d => ({
      path: d.path,
      mapping: mapping ?? d.mapping,
      encoding: encoding ?? d.encoding,
      cleaning: cleaning ?? d.cleaning,
    })),
    hyperparameters: applySettings(presetValues(preset, startingValues(recipe)), args.many('set')),
    overrides: args.many('override').length > 0 ? args.many('override').map(readOverride) : (recipe?.overrides ?? []),
    parents: [],
    ...readStart(args, recipe),
    ...readSince(args, recipe),
  };
}

function readSince(args: CommandArguments, recipe: RunRecord | undefined): Pick<RunRequest, 'since'> {
  const given = args.one('since');
  const since = given === undefined ? recipe?.since : findRun(given, storeFolder(args));
  return since === undefined ? {} : { since };
}

/** @throws TuneError `usage` */
export function readEncoding(args: CommandArguments): TextEncoding | undefined {
  const name = args.one('encoding');
  return name === undefined ? undefined : parseEncoding(name);
}

/** @throws TuneError `usage` */
function readPreset(id: string | undefined): Preset | undefined {
  if (id === undefined) return undefined;
  const preset = presets.find(known => known.id === id);
  if (preset !== undefined) return preset;
  const known = presets.map(each => each.id).join(', ');
  throw new TuneError('usage', `--preset: expected one of ${known}, got "${id}"`);
}

const presetValues = (preset: Preset | undefined, before: Hyperparameters): Hyperparameters =>
  preset === undefined ? before : applyPreset(preset, before);

/** @throws TuneError `usage` for settings that the adapter decides */
function readStart(args: CommandArguments, recipe: RunRecord | undefined): Pick<RunRequest, 'startFrom'> {
  const [adapter, stack] = [args.one('adapter'), args.many('stack')];
  if (adapter !== undefined && stack.length > 0) {
    throw new TuneError('usage', '--adapter: expected it without --stack, got both', {
      hint: 'Go on training one adapter, or train a new one on top of others.',
    });
  }
  if (adapter !== undefined) {
    const set = args.many('set').map(setting => setting.split('=')[0]!.trim());
    const decided = set.find(name => (adoptedNames as readonly string[]).includes(name));
    if (decided !== undefined) {
      throw new TuneError(
        'usage',
        `--set ${decided}: expected nothing beside --adapter, which decides it, got a value`,
        {
          hint: 'Leave it out, or train a new adapter on top of that one: --stack instead of --adapter.',
        },
      );
    }
    return { startFrom: { mode: 'continue', adapters: [resolve(adapter)] } };
  }
  if (stack.length > 0) return { startFrom: { mode: 'stack', adapters: stack.map(path => resolve(path)) } };
  if (recipe?.startFrom === undefined) return {};
  const { mode, adapters } = recipe.startFrom;
  return { startFrom: { mode, adapters: adapters.map(({ path }) => path) } };
}

function readName(name: string | undefined): string | undefined {
  if (name === undefined || (name.trim() !== '' && name.length <= maxNameCharacters)) return name;
  const got = name.trim() === '' ? 'nothing' : `${name.length}`;
  throw new TuneError('usage', `--name: expected 1 to ${maxNameCharacters} characters, got ${got}`);
}

/** A recipe planned within a memory limit is planned within the same again, so that it computes the same. */
function startingValues(recipe: RunRecord | undefined): Hyperparameters {
  if (recipe === undefined) return defaultHyperparameters;
  const { hyperparameters, forecast } = recipe;
  return { ...hyperparameters, memoryLimitBytes: hyperparameters.memoryLimitBytes ?? forecast.memoryLimitBytes };
}

function readRecipe(path: string | undefined): RunRecord | undefined {
  if (path === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(resolve(path), 'utf8'));
  } catch (error) {
    const got = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new TuneError('usage', `--recipe ${path}: expected the run.json of a run, got ${got}`, { file: path });
  }
  const parsed = runRecordSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = `--recipe ${path}, ${issue?.path.join('.')}`;
  throw new TuneError('usage', `${where}: expected the run.json of a run, got ${issue?.message}`, { file: path });
}

function nameAgain(model: ModelReference): string {
  return model.id !== 'tiny' && existsSync(model.path) ? model.path : model.id;
}

/** What lies on this disk is named absolutely; everything else is a Hub id or `tiny`. */
export function resolveModel(model: string): string {
  if (model === 'tiny') return model;
  if (model.trim() === '') {
    throw new TuneError('usage', '--model: expected tiny, a folder, a .gguf file or a Hub id, got nothing');
  }
  const path = resolve(model);
  return existsSync(path) || /^\.{0,2}[/\\]|\.gguf$/i.test(model) ? path : model;
}

export function applySettings(values: Hyperparameters, settings: readonly string[]): Hyperparameters {
  const changed: Record<string, unknown> = { ...values };
  for (const setting of settings) {
    const equals = setting.indexOf('=');
    const name = (equals < 0 ? setting : setting.slice(0, equals)).trim();
    if (!(hyperparameterNames as readonly string[]).includes(name)) {
      throw new TuneError('usage', `--set ${name}: expected one of ${hyperparameterNames.join(', ')}, got "${name}"`);
    }
    if (equals < 0) throw new TuneError('usage', `--set ${name}: expected ${name}=value, got no value`);
    const known = name as HyperparameterName;
    const value = parseHyperparameter(known, setting.slice(equals + 1));
    const problem = checkHyperparameter(known, value);
    if (problem !== undefined) {
      throw new TuneError('usage', `--set ${name}: ${problem}`, { hint: hyperparameterTable[known].help });
    }
    changed[name] = value;
  }
  return hyperparametersSchema.parse(changed);
}

function readOverride(name: string): OverrideName {
  const known = overrideNames.find(n => n === name);
  if (known !== undefined) return known;
  throw new TuneError('usage', `--override: expected one of ${overrideNames.join(', ')}, got "${name}"`);
}
