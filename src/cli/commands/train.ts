/** `tuning-fork train`: a dataset and a model -> an adapter. */
import { runAttachedTrainer } from '../attachedTrainer.ts';
import type { Command } from '../command.ts';
import { describeHyperparameters, readRequest, requestOptions, runsOption, storeFolder } from '../runOptions.ts';
import { readTrackerOrders, trackOptions } from '../trackerOptions.ts';

export const train: Command = {
  name: 'train',
  summary: 'Fine-tune a model on a dataset.',
  usage:
    '<dataset> --model M [--recipe run.json] [--adapter DIR|RUN | --stack DIR|RUN...] [--set k=v]... [--track tensorboard|mlflow|wandb]... [--runs DIR]',
  options: [
    ...requestOptions,
    {
      name: 'recipe',
      value: 'run.json',
      help: 'Start from the recipe of a run; dataset, model and settings given beside it win.',
    },
    { name: 'adapter', value: 'DIR|RUN', help: 'Go on training this adapter, with its rank, alpha and layers.' },
    {
      name: 'stack',
      value: 'DIR|RUN',
      isRepeatable: true,
      help: 'Train a new adapter on top of this one, which stays as it is; may be repeated.',
    },
    {
      name: 'since',
      value: 'RUN',
      help: 'Train on the rows that are new since this run, with a share of its rows replayed (replayRatio).',
    },
    { name: 'name', value: 'TEXT', help: 'Name of the run, default that of the dataset.' },
    ...trackOptions,
    runsOption,
  ],
  maxPositionals: 1,
  details: describeHyperparameters(),
  run: (args, output) => {
    const trackers = readTrackerOrders(args, 'track');
    const order = { type: 'start', store: storeFolder(args), request: readRequest(args), attached: true } as const;
    return runAttachedTrainer(trackers.targets.length === 0 ? order : { ...order, trackers }, output);
  },
};
