/** Options that name a judging model: one of ours, or one behind an endpoint. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { JudgeReference } from '../shared/evaluation.ts';
import { runIdPattern } from '../shared/runFolder.ts';
import { chooseModel, isRunFolder, locateAdapter } from './answering.ts';
import { defaultKeyVariable, readEndpoint } from './candidateOptions.ts';
import type { CommandArguments, CommandOption } from './command.ts';
import { resolveModel } from './runOptions.ts';

export const judgeOptions: readonly CommandOption[] = [
  {
    name: 'judge',
    value: 'M|RUN|URL',
    help: 'A model that says which of two answers is better, each pair in both orders: a model, a run, or the address of an endpoint.',
  },
  { name: 'judge-model', value: 'NAME', help: "The judging endpoint's name of the model." },
  {
    name: 'judge-key-env',
    value: 'NAME',
    help: `Variable that holds the judging endpoint's key; default that of ${defaultKeyVariable} on the server of --endpoint, none elsewhere.`,
  },
];

/** @throws TuneError `usage` */
export function readJudge(args: CommandArguments): JudgeReference | null {
  const name = args.one('judge');
  if (name === undefined) return null;
  if (/^https?:\/\//i.test(name)) {
    // A key for one server is no other server's business.
    const defaultKey = isSameServer(name, args.one('endpoint')) ? defaultKeyVariable : null;
    return { kind: 'endpoint', endpoint: readEndpoint(args, name, 'judge-model', 'judge-key-env', defaultKey) };
  }
  const path = resolve(name);
  const isAdapter = isRunFolder(path) || existsSync(resolve(path, 'adapter_config.json'));
  const adapter = isAdapter ? path : !existsSync(path) && runIdPattern.test(name) ? locateAdapter(name, args) : null;
  return { kind: 'model', model: adapter === null ? resolveModel(name) : chooseModel(args, [adapter]), adapter };
}

function isSameServer(a: string, b: string | undefined): boolean {
  return b !== undefined && URL.canParse(a) && URL.canParse(b) && new URL(a).origin === new URL(b).origin;
}
