/** Options of `serve` -> the base model, and the adapters on it that clients can name. */
import { basename } from 'node:path';
import { findOutput } from '../core/infer/findOutput.ts';
import { nameBaseModel } from '../core/jobs/prepare/runQuestions.ts';
import { listRuns } from '../core/runs/runStore.ts';
import { type RunView, viewRun } from '../core/runs/runView.ts';
import { TuneError } from '../shared/errors.ts';
import { nameApart, nameServedModel, type ServerOrder } from '../shared/serverProtocol.ts';
import { chooseAdapter, chooseModel, isRunFolder } from './answering.ts';
import type { CommandArguments } from './command.ts';
import { storeFolder } from './runOptions.ts';

export type ServedModels = Pick<ServerOrder, 'model' | 'modelId' | 'adapters'>;

/**
 * Those that were named; without any, the base alone or, where there is none either, the newest run's base with all
 * finished runs on it. @throws TuneError `usage`, `run-invalid`
 */
export function chooseServed(args: CommandArguments): ServedModels {
  const named = args.many('adapter').map(text => chooseAdapter(text, args));
  if (named.length > 0) {
    const model = chooseModel(
      args,
      named.flatMap(({ paths }) => paths),
    );
    const modelId = nameServedModel(model);
    const names = named.map(({ paths, name }) => ({ name: paths.map(nameOf).join('+'), id: name }));
    const ids = nameApart(names, [modelId]);
    return {
      model,
      modelId,
      adapters: named.map(({ paths }, i) => ({ id: ids[i]!, paths: [...paths], isRequired: true })),
    };
  }
  const runs = listTuned(storeFolder(args));
  const newest = runs.at(-1);
  if (args.one('model') === undefined && newest === undefined) {
    throw new TuneError(
      'usage',
      `--model: expected a model, an adapter or a finished run in ${storeFolder(args)}, got none`,
      {
        hint: 'Name what is to be served: --model M, or --adapter RUN|DIR.',
      },
    );
  }
  const model = chooseModel(args, newest === undefined ? [] : [newest.path]);
  const modelId = nameServedModel(model);
  const own = runs.filter(({ record }) => record !== undefined && nameBaseModel(record.model) === model);
  const ids = nameApart(
    own.map(({ notes, id }) => ({ name: notes.name, id })),
    [modelId],
  );
  return { model, modelId, adapters: own.map(({ path }, i) => ({ id: ids[i]!, paths: [path], isRequired: false })) };
}

function nameOf(path: string): string {
  return isRunFolder(path) ? viewRun(path).notes.name : basename(path);
}

/** Runs that came to an end with something to serve, oldest first. */
function listTuned(store: string): RunView[] {
  return listRuns(store).flatMap(path => {
    try {
      const view = viewRun(path);
      if (view.record?.kind !== 'train' || !['finished', 'stopped'].includes(view.state)) return [];
      findOutput(path);
      return [view];
    } catch (error) {
      if (error instanceof TuneError) return [];
      throw error;
    }
  });
}
