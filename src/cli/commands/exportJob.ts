/** `tuning-fork export-job`: the run that would be trained here, as a folder for Slurm, SkyPilot, dstack or SSH. */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportJob } from '../../core/jobs/elsewhere/exportJob.ts';
import { type TorchBuild, torchBuilds } from '../../core/python/torchBuild.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { weightCacheBudget, weightCacheFolder } from '../../shared/userCache.ts';
import { type Command, usageError } from '../command.ts';
import { interruptible } from '../interruptible.ts';
import { findTinyModel } from '../places.ts';
import { describeHyperparameters, readRequest, requestOptions } from '../runOptions.ts';

export const exportJobCommand: Command = {
  name: 'export-job',
  summary: 'Prepare a run here and write it as a folder that trains elsewhere: Slurm, SkyPilot, dstack, SSH.',
  usage: '<dataset> --model M --out DIR [--nodes N] [--gpus N] [--gpu NAME] [--recipe run.json] [--set k=v]...',
  options: [
    { name: 'out', value: 'DIR', help: 'Folder to be made; an existing one must be empty.' },
    { name: 'nodes', value: 'N', help: 'Machines, default 1.' },
    { name: 'gpus', value: 'N', help: 'Cards on each machine, default 1; 0 trains on processors.' },
    { name: 'gpu', value: 'NAME', help: 'Card for SkyPilot and dstack, default H100.' },
    { name: 'time', value: 'T', help: 'Time limit for Slurm, default 24:00:00.' },
    { name: 'partition', value: 'P', help: 'Partition for Slurm.' },
    { name: 'account', value: 'A', help: 'Account for Slurm.' },
    { name: 'build', value: torchBuilds.join('|'), help: 'Build of PyTorch there, default cuda13, without cards cpu.' },
    { name: 'no-model', help: 'Leave the base model out: it lies there already (TUNING_FORK_MODEL_FOLDER).' },
    ...requestOptions,
    { name: 'recipe', value: 'run.json', help: 'Start from the recipe of a run.' },
    { name: 'name', value: 'TEXT', help: 'Name of the run, default that of the dataset.' },
  ],
  maxPositionals: 1,
  details: describeHyperparameters(),
  run: (args, output) =>
    interruptible(output, async signal => {
      const gpus = args.integer('gpus', 0, 64) ?? 1;
      const build = args.one('build') ?? (gpus === 0 ? 'cpu' : 'cuda13');
      if (!(torchBuilds as readonly string[]).includes(build)) {
        throw usageError(exportJobCommand, `--build: expected one of ${torchBuilds.join(', ')}, got "${build}"`);
      }
      const { platform, env } = process;
      const place = { platform, home: homedir(), env };
      const out = resolve(args.required('out'));
      const job = await exportJob({
        request: readRequest(args),
        out,
        shape: {
          nodes: args.integer('nodes', 1, 4096) ?? 1,
          gpus,
          gpuName: args.one('gpu') ?? 'H100',
          timeLimit: args.one('time') ?? '24:00:00',
          partition: args.one('partition'),
          account: args.one('account'),
          build: build as TorchBuild,
        },
        copiesModel: !args.has('no-model'),
        engineFolder: fileURLToPath(new URL('./pytorch', import.meta.url)),
        weightCache: { folder: weightCacheFolder(place), budgetBytes: weightCacheBudget(place) },
        check: {
          tinyFolder: findTinyModel(),
          hub: undefined,
          control: { ask: () => (signal.aborted ? 'stop' : 'continue') },
          onPhase: (phase, done, total) => output.progress(`${phase} ${done}/${total}`),
        },
      });
      for (const note of job.notes) output.say(note);
      output.print(`${out}\n  ${job.files.join(', ')}\n  README.txt says how to start it.`);
      output.line({ type: 'result', path: out, run: job.run, files: job.files });
      return exitCodes.done;
    }),
};
