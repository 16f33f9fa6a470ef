/** Options that name a teacher: a model, a run or an adapter of ours, or an OpenAI-compatible endpoint. */
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { ChatEndpoint, defaultEndpointOptions } from '../core/teachers/endpoint/chatEndpoint.ts';
import { EndpointTeacher } from '../core/teachers/endpointTeacher.ts';
import { LocalTeacher } from '../core/teachers/localTeacher.ts';
import type { Teacher } from '../core/teachers/teacher.ts';
import { TuneError } from '../shared/errors.ts';
import type { DecodingSettings } from '../shared/inferenceProtocol.ts';
import { runIdPattern } from '../shared/runFolder.ts';
import { chooseModel, createModelPool, isRunFolder, locateAdapter, readPrecision } from './answering.ts';
import type { CommandArguments, CommandOption } from './command.ts';
import type { Output } from './output.ts';
import { resolveModel } from './runOptions.ts';

const keyVariable = 'TUNING_FORK_TEACHER_KEY';

export const teacherOptions: readonly CommandOption[] = [
  {
    name: 'teacher',
    value: 'M|RUN|DIR|URL',
    help: 'A model, a run or adapter (its base beside it as --model), or the address of an OpenAI-compatible endpoint.',
  },
  { name: 'teacher-model', value: 'NAME', help: "The endpoint's name of the model." },
  { name: 'key-env', value: 'NAME', help: `Variable that holds the endpoint's key, default ${keyVariable}.` },
  { name: 'requests-per-minute', value: 'N', help: 'Most requests a minute to an endpoint, default no limit.' },
  {
    name: 'parallel',
    value: 'N',
    help: `Requests under way at once, default ${defaultEndpointOptions.parallelRequests}.`,
  },
  {
    name: 'retries',
    value: 'N',
    help: `Tries after the first when the endpoint is busy, broken or silent, default ${defaultEndpointOptions.maxRetries}.`,
  },
  {
    name: 'timeout',
    value: 'SECONDS',
    help: `Silence after which a request is tried again, default ${defaultEndpointOptions.idleTimeoutMs / 1000}.`,
  },
];

/** How to open the teacher that was named. Wrong use is told before anything is read. @throws TuneError `usage` */
export function readTeacher(
  args: CommandArguments,
  output: Output,
  settings: DecodingSettings,
  signal: AbortSignal,
): () => Promise<Teacher> {
  const name = args.required('teacher');
  return /^https?:\/\//i.test(name)
    ? readEndpoint(name, args, settings)
    : readLocal(name, args, output, settings, signal);
}

function readEndpoint(baseUrl: string, args: CommandArguments, settings: DecodingSettings): () => Promise<Teacher> {
  const model = args.required('teacher-model');
  const variable = args.one('key-env') ?? keyVariable;
  const apiKey = process.env[variable];
  if (apiKey === undefined && args.one('key-env') !== undefined) {
    throw new TuneError('usage', `--key-env: expected a variable that is set, got ${variable}`);
  }
  const timeout = args.number('timeout', 0.001, 86_400);
  const endpoint = new ChatEndpoint(
    { baseUrl, model, apiKey },
    {
      ...defaultEndpointOptions,
      requestsPerMinute: args.number('requests-per-minute', 0, 1e6) ?? defaultEndpointOptions.requestsPerMinute,
      parallelRequests: args.integer('parallel', 1, 256) ?? defaultEndpointOptions.parallelRequests,
      maxRetries: args.integer('retries', 0, 100) ?? defaultEndpointOptions.maxRetries,
      ...(timeout === undefined ? {} : { idleTimeoutMs: 1000 * timeout }),
    },
  );
  return async () => new EndpointTeacher(endpoint, settings);
}

function readLocal(
  name: string,
  args: CommandArguments,
  output: Output,
  settings: DecodingSettings,
  signal: AbortSignal,
): () => Promise<Teacher> {
  const adapter = findAdapter(name, args);
  const model = adapter === null ? resolveModel(name) : chooseModel(args, [adapter]);
  return async () => {
    const pool = createModelPool(output, readPrecision(args));
    try {
      const attached = await pool.attach(model, adapter, signal);
      return new LocalTeacher(nameTeacher(model, adapter), attached, settings, () => pool.release());
    } catch (error) {
      await pool.release();
      throw error;
    }
  };
}

/** A run or an adapter's folder; null for what is a model itself. */
function findAdapter(name: string, args: CommandArguments): string | null {
  const path = resolve(name);
  if (isRunFolder(path) || existsSync(resolve(path, 'adapter_config.json'))) return path;
  return !existsSync(path) && runIdPattern.test(name) ? locateAdapter(name, args) : null;
}

function nameTeacher(model: string, adapter: string | null): string {
  return adapter === null ? model : `${basename(adapter)} on ${model}`;
}
