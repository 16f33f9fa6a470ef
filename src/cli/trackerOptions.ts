/** Options that say where a run is reported. */
import { resolve } from 'node:path';
import { TuneError } from '../shared/errors.ts';
import {
  defaultMlflowExperiment,
  defaultWandbProject,
  originOf,
  type TrackerKeys,
  type TrackerKind,
  type TrackerOrders,
  type TrackerTarget,
  trackerKinds,
  trackerTargetSchema,
} from '../shared/trackers.ts';
import type { CommandArguments, CommandOption } from './command.ts';

const targetOptions: readonly CommandOption[] = [
  {
    name: 'tensorboard-dir',
    value: 'DIR',
    help: 'Folder that gets a folder of events for each run; default inside the run.',
  },
  { name: 'mlflow-uri', value: 'URL', help: 'Address of the MLflow server; default MLFLOW_TRACKING_URI.' },
  { name: 'mlflow-experiment', value: 'NAME', help: `Default MLFLOW_EXPERIMENT_NAME or ${defaultMlflowExperiment}.` },
  { name: 'wandb-project', value: 'NAME', help: `Default WANDB_PROJECT or ${defaultWandbProject}.` },
  { name: 'wandb-entity', value: 'NAME', help: 'Team or user of Weights & Biases; default WANDB_ENTITY.' },
  {
    name: 'wandb-url',
    value: 'URL',
    help: 'Address of a Weights & Biases server of your own; default WANDB_BASE_URL.',
  },
  { name: 'python', value: 'FILE', help: 'Python with the package wandb; default python3.' },
];

/** For commands that start a run. */
export const trackOptions: readonly CommandOption[] = [
  {
    name: 'track',
    value: trackerKinds.join('|'),
    isRepeatable: true,
    help: 'Report the run there too; may be repeated.',
  },
  ...targetOptions,
];

/** For `track`. */
export const trackToOptions: readonly CommandOption[] = [
  { name: 'to', value: trackerKinds.join('|'), isRepeatable: true, help: 'Where to report; may be repeated.' },
  ...targetOptions,
];

/** @throws TuneError `usage` */
export function readTrackerOrders(args: CommandArguments, option: 'track' | 'to'): TrackerOrders {
  const kinds = readKinds(args, option);
  const targets = kinds.map(kind => readTarget(kind, args));
  const python = args.one('python');
  return {
    targets,
    keys: readKeys(args),
    python: python === undefined ? null : /[\\/]/.test(python) ? resolve(python) : python,
  };
}

/** The tracker process reads the environment's keys itself; one for a server that is named here is bound to it. */
function readKeys(args: CommandArguments): TrackerKeys {
  const [url, key] = [args.one('wandb-url'), process.env.WANDB_API_KEY];
  return url === undefined || key === undefined || !URL.canParse(url) ? {} : { wandb: { origin: originOf(url), key } };
}

/** @throws TuneError `usage` */
export function readKinds(args: CommandArguments, option: 'track' | 'to'): TrackerKind[] {
  return [...new Set(args.many(option))].map(text => {
    const kind = trackerKinds.find(known => known === text);
    if (kind !== undefined) return kind;
    throw new TuneError('usage', `--${option}: expected one of ${trackerKinds.join(', ')}, got "${text}"`);
  });
}

function readTarget(kind: TrackerKind, args: CommandArguments): TrackerTarget {
  const { env } = process;
  const target = {
    tensorboard: () => ({ kind, folder: mapDefined(args.one('tensorboard-dir'), folder => resolve(folder)) }),
    mlflow: () => ({
      kind,
      uri: args.one('mlflow-uri') ?? env.MLFLOW_TRACKING_URI ?? '',
      experiment: args.one('mlflow-experiment') ?? env.MLFLOW_EXPERIMENT_NAME ?? defaultMlflowExperiment,
    }),
    wandb: () => ({
      kind,
      project: args.one('wandb-project') ?? env.WANDB_PROJECT ?? defaultWandbProject,
      entity: args.one('wandb-entity') ?? env.WANDB_ENTITY ?? null,
      baseUrl: args.one('wandb-url') ?? env.WANDB_BASE_URL ?? null,
    }),
  }[kind]();
  const parsed = trackerTargetSchema.safeParse(target);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = String(issue?.path[0] ?? kind);
  const option = { uri: 'mlflow-uri', experiment: 'mlflow-experiment', baseUrl: 'wandb-url', project: 'wandb-project' }[
    field
  ];
  const value = String((target as Record<string, unknown>)[field] ?? '');
  const isAddress = field === 'uri' || field === 'baseUrl';
  const expected = isAddress ? 'an address such as http://host:5000' : 'a name';
  const where = `--${option ?? `wandb-${field}`}: expected ${expected}`;
  // What stands before the @ may be a password.
  if (isAddress && value.includes('@')) {
    throw new TuneError('usage', `${where}, got one with a name or password in it`, { hint: credentialHints[kind] });
  }
  throw new TuneError('usage', `${where}, got "${value}"`, {
    hint: 'MLflow is reported to a server; start one with: mlflow server --host 127.0.0.1 --port 5000',
  });
}

const credentialHints: Readonly<Record<string, string>> = {
  mlflow: 'Leave them out of the address, and set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.',
  wandb: 'Leave them out of the address, and set WANDB_API_KEY.',
};

function mapDefined<T>(value: string | undefined, map: (value: string) => T): T | null {
  return value === undefined ? null : map(value);
}
