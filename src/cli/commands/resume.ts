/** `tuning-fork resume`: goes on with a run from its last checkpoint. */
import { readStoredRequest } from '../../core/runs/runFiles.ts';
import { findRun } from '../../core/runs/runStore.ts';
import { runAttachedTrainer } from '../attachedTrainer.ts';
import type { Command } from '../command.ts';
import { keyOption, readEndpointKeys } from '../endpointKeys.ts';
import { runsOption, storeFolder } from '../runOptions.ts';

export const resume: Command = {
  name: 'resume',
  summary: 'Go on with a run that was paused, stopped, interrupted or failed.',
  usage: '<run> [--key-env NAME] [--runs DIR]',
  options: [keyOption, runsOption],
  maxPositionals: 1,
  details: '<run> is the folder of a run, its id, or a part of its id.',
  run: (args, output) => {
    const run = findRun(args.positional(0, 'run'), storeFolder(args));
    const request = args.one('key-env') === undefined ? undefined : readStoredRequest(run);
    const stages = request?.kind === 'pipeline' ? request.stages : [];
    const endpointKeys = readEndpointKeys(args, stages, output);
    return runAttachedTrainer({ type: 'resume', run, attached: true, endpointKeys }, output);
  },
};
