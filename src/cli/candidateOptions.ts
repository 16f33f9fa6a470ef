/** Options that name who is judged: base, prompted base, adapters and checkpoints, other models, an endpoint. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { rememberEndpoint } from '../core/jobs/evaluate/namedEndpoints.ts';
import { defaultEndpointOptions } from '../core/teachers/endpoint/chatEndpoint.ts';
import { CheckpointFolder } from '../core/train/checkpointFolder.ts';
import { TuneError } from '../shared/errors.ts';
import type { Candidate, EndpointReference } from '../shared/evaluation.ts';
import { runNames } from '../shared/runFolder.ts';
import { adapterOption, chooseAdapter } from './answering.ts';
import type { CommandArguments, CommandOption } from './command.ts';
import { resolveModel } from './runOptions.ts';

export const defaultKeyVariable = 'TUNING_FORK_ENDPOINT_KEY';

export const candidateOptions: readonly CommandOption[] = [
  { ...adapterOption, isRepeatable: true },
  { name: 'checkpoints', help: 'Also every checkpoint of the run, each as a candidate.' },
  {
    name: 'other',
    value: 'M',
    isRepeatable: true,
    help: 'Another model, named as the base model is; may be repeated.',
  },
  { name: 'endpoint', value: 'URL', help: 'A model behind an OpenAI-compatible endpoint.' },
  { name: 'endpoint-model', value: 'NAME', help: "The endpoint's name of the model." },
  {
    name: 'key-env',
    value: 'NAME',
    help: `Variable that holds the endpoint's key, default ${defaultKeyVariable} where it is set.`,
  },
  { name: 'requests-per-minute', value: 'N', help: 'Most requests a minute to an endpoint, default no limit.' },
  {
    name: 'parallel',
    value: 'N',
    help: `Requests under way at once, default ${defaultEndpointOptions.parallelRequests}.`,
  },
  { name: 'retries', value: 'N', help: `Tries after the first, default ${defaultEndpointOptions.maxRetries}.` },
  {
    name: 'timeout',
    value: 'SECONDS',
    help: `Silence after which a request is tried again, default ${defaultEndpointOptions.idleTimeoutMs / 1000}.`,
  },
  { name: 'without', value: 'base,prompted', help: 'Leave the base, or the base with its best prompt, out.' },
  { name: 'system', value: 'TEXT', help: 'System text of the prompted base; default found from the training rows.' },
  { name: 'few-shot', value: 'K', help: 'Examples of the prompted base; default the best of 0, 2, 4 and 8.' },
];

/** @param run whose rows are judged: its own adapter is a candidate. @throws TuneError `usage` */
export function readCandidates(
  args: CommandArguments,
  run: string | undefined,
  taskSystem: string | null,
): Candidate[] {
  const without = readWithout(args.one('without'));
  const adapters = args.many('adapter').map(text => chooseAdapter(text, args).paths);
  const own =
    run !== undefined && hasOutput(run) && !adapters.some(paths => paths.length === 1 && paths[0] === run)
      ? [[run]]
      : [];
  const checkpoints = args.has('checkpoints') ? listCheckpoints(run) : [];
  const hasTraining = run !== undefined || adapters.some(([path]) => existsSync(join(path!, runNames.run)));
  const system = args.one('system') ?? taskSystem;
  const candidates: Candidate[] = [];
  if (!without.includes('base')) candidates.push({ kind: 'base', id: 'base', label: 'Base model' });
  if (!without.includes('prompted') && (hasTraining || system !== null)) {
    const fewShot = args.integer('few-shot', 0, 64) ?? (hasTraining ? null : 0);
    candidates.push({ kind: 'prompted', id: 'prompted', label: 'Base with its best prompt', system, fewShot });
  }
  for (const [i, paths] of [...own, ...adapters, ...checkpoints].entries()) {
    candidates.push({ kind: 'adapter', id: `adapter-${i + 1}`, label: labelOf(paths), paths: [...paths] });
  }
  for (const [i, model] of args.many('other').entries()) {
    candidates.push({ kind: 'model', id: `model-${i + 1}`, label: basename(model), model: resolveModel(model) });
  }
  const url = args.one('endpoint');
  if (url !== undefined) {
    const endpoint = readEndpoint(args, url, 'endpoint-model', 'key-env', defaultKeyVariable);
    candidates.push({ kind: 'endpoint', id: 'endpoint-1', label: endpoint.model, endpoint });
  }
  if (candidates.length > 0) return candidates;
  throw new TuneError('usage', 'candidates: expected at least one, got none', {
    hint: 'Name an --adapter, an --other model or an --endpoint.',
  });
}

/** Remembered as one that the user has named. @param defaultKey variable whose key it gets where it is set. @throws TuneError `usage` */
export function readEndpoint(
  args: CommandArguments,
  baseUrl: string,
  modelOption: string,
  keyOption: string,
  defaultKey: string | null,
): EndpointReference {
  const named = args.one(keyOption);
  if (named !== undefined && process.env[named] === undefined) {
    throw new TuneError('usage', `--${keyOption}: expected a variable that is set, got ${named}`);
  }
  const timeout = args.number('timeout', 0.001, 86_400);
  const endpoint: EndpointReference = {
    baseUrl,
    model: args.required(modelOption),
    keyVariable: named ?? (defaultKey === null || process.env[defaultKey] === undefined ? null : defaultKey),
    requestsPerMinute: args.number('requests-per-minute', 0, 1e6) ?? defaultEndpointOptions.requestsPerMinute,
    parallelRequests: args.integer('parallel', 1, 256) ?? defaultEndpointOptions.parallelRequests,
    maxRetries: args.integer('retries', 0, 100) ?? defaultEndpointOptions.maxRetries,
    idleTimeoutMs: timeout === undefined ? defaultEndpointOptions.idleTimeoutMs : 1000 * timeout,
  };
  rememberEndpoint(endpoint);
  return endpoint;
}

function readWithout(text: string | undefined): string[] {
  const names = text?.split(',').map(name => name.trim()) ?? [];
  const unknown = names.find(name => name !== 'base' && name !== 'prompted');
  if (unknown === undefined) return names;
  throw new TuneError('usage', `--without: expected base or prompted, got "${unknown}"`);
}

const hasOutput = (run: string): boolean =>
  [runNames.adapter, runNames.model].some(name => existsSync(join(run, name)));

/** Oldest first. */
function listCheckpoints(run: string | undefined): string[][] {
  if (run === undefined) throw new TuneError('usage', '--checkpoints: expected --run beside it, got none');
  return new CheckpointFolder(join(run, runNames.checkpoints))
    .list()
    .reverse()
    .map(({ path }) => [path]);
}

/** A run by its name, a checkpoint by its step. */
function labelOf(paths: readonly string[]): string {
  return paths
    .map(path => basename(path).replace(/^\d{8}-\d{6}-/, ''))
    .join(' + ')
    .slice(0, 200);
}
