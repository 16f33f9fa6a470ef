/** `tuning-fork best`: a dataset and some minutes -> the best adapter that this machine finds in them, and a report. */
import { makeAutomaticSearch } from '../../shared/automaticSearch.ts';
import { TuneError } from '../../shared/errors.ts';
import { runAttachedTrainer } from '../attachedTrainer.ts';
import type { Command } from '../command.ts';
import { readRequest, requestOptions, resolveModel, runsOption, storeFolder } from '../runOptions.ts';

export const best: Command = {
  name: 'best',
  summary:
    'Find the best fine-tuning of a dataset in some minutes: checks, chooses, searches, trains, compares, reports.',
  usage: '<dataset> --minutes M [--model M]... [--runs DIR]',
  options: [
    { name: 'minutes', value: 'M', help: 'Time for all of it.' },
    ...requestOptions.map(option =>
      option.name === 'model'
        ? {
            name: 'model',
            value: 'M',
            isRepeatable: true,
            help: 'A model to choose from: tiny, a folder, a .gguf file or a Hub id; may be repeated. Default tiny.',
          }
        : option,
    ),
    { name: 'name', value: 'TEXT', help: 'Name of the search, default that of the dataset.' },
    runsOption,
  ],
  maxPositionals: 1,
  details: `Chooses the largest of the models of which some trials fit the time, the method and the batch from the forecast, and the
settings by search. The winner is judged once on rows that no trial saw, and compared with the best prompt. report.md in the
folder of the search says what was tried and why it was chosen.`,
  run: (args, output) => {
    const minutes = args.number('minutes', 0.05, 100_000);
    if (minutes === undefined) throw new TuneError('usage', '--minutes: expected a number of minutes, got nothing');
    const given = args.many('model');
    const models = (given.length > 0 ? given : ['tiny']).map(resolveModel);
    const base = readRequest(args, models[0]);
    const request = makeAutomaticSearch(base, models, minutes);
    return runAttachedTrainer({ type: 'start', store: storeFolder(args), request, attached: true }, output);
  },
};
