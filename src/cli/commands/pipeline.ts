/** `tuning-fork pipeline`: stages of training in one file, run or checked. */
import { basename } from 'node:path';
import { type CheckedStage, checkStageData } from '../../core/jobs/pipeline/checkStages.ts';
import type { ParsedPipeline } from '../../core/jobs/pipeline/parsePipeline.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { TuneError } from '../../shared/errors.ts';
import type { PipelineRequest, PipelineStage } from '../../shared/pipeline.ts';
import { runAttachedTrainer } from '../attachedTrainer.ts';
import type { Command, CommandArguments } from '../command.ts';
import { keyOption, readEndpointKeys } from '../endpointKeys.ts';
import { interruptible } from '../interruptible.ts';
import type { Output } from '../output.ts';
import { readPipelineFile, requireValid } from '../pipelineFile.ts';
import { runsOption, storeFolder } from '../runOptions.ts';

const actions = ['run', 'check'] as const;

export const pipeline: Command = {
  name: 'pipeline',
  summary: "Train in stages, each from the last one's result, as a file says; measure what each stage forgets.",
  usage: 'run|check <file.pipeline.yaml> [--from STAGE] [--key-env NAME] [--name TEXT] [--runs DIR]',
  options: [
    {
      name: 'from',
      value: 'STAGE',
      help: 'Train this stage and all after it anew; those before it only where something has changed.',
    },
    { name: 'name', value: 'TEXT', help: 'Name of the run, default that in the file.' },
    keyOption,
    runsOption,
  ],
  maxPositionals: 2,
  details:
    'A stage whose recipe, data and starting weights are those of an earlier pipeline of the same runs is not trained again.\n' +
    'pause, stop and resume take the run of a pipeline as any other.',
  run: async (args, output) => {
    const action = actions.find(name => name === args.positional(0, 'run|check'));
    if (action === undefined) {
      throw new TuneError('usage', `pipeline: expected one of ${actions.join(', ')}, got "${args.positionals[0]}"`);
    }
    const { file, parsed } = readPipelineFile(args.positional(1, 'file'));
    const request = readOptions(args, requireValid(file, parsed, output));
    if (action === 'check') return check(file, parsed, request, output);
    const endpointKeys = readEndpointKeys(args, request.stages, output);
    return runAttachedTrainer(
      { type: 'start', store: storeFolder(args), request, attached: true, endpointKeys },
      output,
    );
  },
};

function readOptions(args: CommandArguments, request: PipelineRequest): PipelineRequest {
  const from = args.one('from') ?? null;
  if (from !== null && !request.stages.some(({ name }) => name === from)) {
    const names = request.stages.map(({ name }) => name).join(', ');
    throw new TuneError('usage', `--from: expected one of ${names}, got "${from}"`);
  }
  return { ...request, restartFrom: from, name: args.one('name') ?? request.name };
}

/** Reads the data of every stage and says what would be done. */
function check(file: string, parsed: ParsedPipeline, request: PipelineRequest, output: Output): Promise<number> {
  return interruptible(output, async signal => {
    for (const [index, stage] of request.stages.entries()) {
      const checked = await locate(file, parsed, index, () => checkStageData(stage, signal));
      output.print(describeStage(index, checked));
    }
    const stages = request.stages.map(({ name, start, model }) => ({ name, start, model }));
    output.line({ type: 'result', path: file, stages });
    return exitCodes.done;
  });
}

/** Says at which line of the pipeline a dataset stands that cannot be used. */
async function locate<T>(file: string, { stages }: ParsedPipeline, index: number, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof TuneError)) throw error;
    const { code, message, hint, file: at, line } = error;
    const place = stages[index]!.outline.range;
    throw new TuneError(code, `${file}:${place.line}: stage ${stages[index]!.stage.name}: ${message}`, {
      hint,
      file: at,
      line,
      cause: error,
    });
  }
}

function describeStage(index: number, { stage, sources }: CheckedStage): string {
  const { name, datasets, hyperparameters } = stage;
  const counts = sources.map(({ dataset, split }, i) => {
    const { train, heldOut } = split.counts;
    return `${basename(datasets[i]!.path)}: ${train} rows, ${heldOut} held out (${dataset.mapping.mapping.kind})`;
  });
  const { method, objective } = hyperparameters;
  return `${index + 1}. ${name}: ${objective}, ${method}, ${describeStart(stage)}\n   ${counts.join('\n   ')}`;
}

function describeStart({ start, model, teacher, distill }: PipelineStage): string {
  const from = {
    fresh: `from ${model}`,
    continue: 'goes on with the stage before',
    merge: 'on the stage before, merged',
  }[start];
  const who = teacher?.kind === 'stage' ? teacher.stage : teacher?.model;
  return teacher === null ? from : `${from}, taught by the ${distill} of ${who}`;
}
