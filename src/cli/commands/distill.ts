/** `tuning-fork distill`: a teacher's answers to a dataset's questions, as a new dataset. */
import { resolve } from 'node:path';
import { parseMapping } from '../../core/data/mapping/mapping.ts';
import { distillDataset } from '../../core/jobs/distill/distillDataset.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { defaultHyperparameters } from '../../shared/hyperparameters.ts';
import { decodingOptions, modelOption, readDecoding, tellProgress } from '../answering.ts';
import type { Command } from '../command.ts';
import { interruptible } from '../interruptible.ts';
import { runsOption } from '../runOptions.ts';
import { readTeacher, teacherOptions } from '../teacherOptions.ts';

const { evalRatio, testRatio, seed } = defaultHyperparameters;

export const distill: Command = {
  name: 'distill',
  summary: "Let a teacher answer a dataset's questions: a new dataset for a student to learn from.",
  usage: '<dataset> --teacher M|RUN|URL --out file.jsonl [--held-out file.jsonl]',
  options: [
    ...teacherOptions,
    { name: 'out', value: 'FILE', help: 'The new dataset, as JSON lines; begun again, it goes on where it was.' },
    {
      name: 'held-out',
      value: 'FILE',
      help: 'Write the held-out rows with their own answers here, to measure the student on.',
    },
    { name: 'eval-ratio', value: 'X', help: `Share of rows held out, never asked, default ${evalRatio}.` },
    { name: 'test-ratio', value: 'X', help: `Share of rows for the test, never asked, default ${testRatio}.` },
    { name: 'split-seed', value: 'N', help: `Decides which rows are held out, as a run's seed does; default ${seed}.` },
    { name: 'keep-cut', help: 'Keep answers that reached --max-tokens before their end.' },
    { name: 'mapping', value: 'KIND[:slot=field,...]', help: 'How fields become conversations; default detected.' },
    { name: 'skip-broken', help: 'Leave rows out that cannot be read, instead of refusing the dataset.' },
    { ...modelOption, help: 'The base model of --teacher where that is an adapter; default the one of the run.' },
    ...decodingOptions,
    runsOption,
  ],
  maxPositionals: 1,
  run: (args, output) =>
    interruptible(output, async signal => {
      const dataset = resolve(args.positional(0, 'dataset'));
      const out = resolve(args.required('out'));
      const heldOut = args.one('held-out');
      const settings = readDecoding(args);
      const mapping = args.one('mapping');
      const openTeacher = readTeacher(args, output, settings, signal);
      const result = await distillDataset(
        {
          dataset,
          mapping: mapping === undefined ? null : parseMapping(mapping),
          skipBrokenRows: args.has('skip-broken'),
          split: {
            seed: args.integer('split-seed', 0, Number.MAX_SAFE_INTEGER) ?? seed,
            evalRatio: args.number('eval-ratio', 0, 0.9) ?? evalRatio,
            testRatio: args.number('test-ratio', 0, 0.9) ?? testRatio,
          },
          settings,
          keepCut: args.has('keep-cut'),
          out,
          heldOutFile: heldOut === undefined ? undefined : resolve(heldOut),
          onProgress: (done, total) => tellProgress(output, 'asking the teacher', done, total),
          onWarning: problem => {
            output.line({ type: 'problem', ...problem });
            output.say(`Warning: ${problem.message}\n  ${problem.fix}`);
          },
          signal,
        },
        openTeacher,
      );
      output.print(
        `${result.path}: ${result.answered} answers of ${result.teacher}; ${result.keptBack} held-out and test rows were not asked.`,
      );
      output.line({ type: 'result', ...result });
      return exitCodes.done;
    }),
};
