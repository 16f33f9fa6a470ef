/** Options that name a judging model: one of ours, or one behind an endpoint. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { JudgeReference } from '../shared/evaluation.ts';
import { runIdPattern } from '../shared/runFolder.ts';
import { chooseModel, isRunFolder, locateAdapter } from './answering.ts';
import { readEndpoint } from './candidateOptions.ts';
import type { CommandArguments, CommandOption } from './command.ts';
import { resolveModel } from './runOptions.ts';

export const judgeOptions: readonly CommandOption[] = [
  {
    name: 'judge',
    value: 'M|RUN|URL',
    help: 'A model that says which of two answers is better, each pair in both orders: a model, a run, or the address of an endpoint.',
  },
  { name: 'judge-model', value: 'NAME', help: "The judging endpoint's name of the model." },
  { name: 'judge-key-env', value: 'NAME', help: "Variable that holds the judging endpoint's key." },
];

/** @throws TuneError `usage` */
export function readJudge(args: CommandArguments): JudgeReference | null {
  const name = args.one('judge');
  if (name === undefined) return null;
  if (/^https?:\/\//i.test(name)) {
    return { kind: 'endpoint', endpoint: readEndpoint(args, name, 'judge-model', 'judge-key-env') };
  }
  const path = resolve(name);
  const isAdapter = isRunFolder(path) || existsSync(resolve(path, 'adapter_config.json'));
  const adapter = isAdapter ? path : !existsSync(path) && runIdPattern.test(name) ? locateAdapter(name, args) : null;
  return { kind: 'model', model: adapter === null ? resolveModel(name) : chooseModel(args, [adapter]), adapter };
}
