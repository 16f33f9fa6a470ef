/** `tuning-fork drift`: what a dataset got since a run, how it differs, and a run that goes on with it. */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { continueRequest } from '../../core/jobs/drift/continueRequest.ts';
import { findDrift, findLastRun } from '../../core/jobs/drift/findDrift.ts';
import { readNotes, readRecord } from '../../core/runs/runFiles.ts';
import { findRun } from '../../core/runs/runStore.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import type { DriftMeasure, DriftReport } from '../../shared/drift.ts';
import { TuneError } from '../../shared/errors.ts';
import { createModelPool, tellProgress } from '../answering.ts';
import { runAttachedTrainer } from '../attachedTrainer.ts';
import type { Command, CommandArguments } from '../command.ts';
import { interruptible } from '../interruptible.ts';
import type { Output } from '../output.ts';
import { applySettings, runsOption, storeFolder } from '../runOptions.ts';

const defaultSample = 1000;
const permutations = 999;
const seed = 42;

export const drift: Command = {
  name: 'drift',
  summary: 'Compare the rows that a dataset got since a run with those before; --continue trains on them.',
  usage: '<dataset> [--run RUN] [--no-topics] [--no-loss] [--continue [--set k=v]...]',
  options: [
    { name: 'run', value: 'RUN', help: 'The run that was trained on it before; default the last finished one.' },
    { name: 'sample', value: 'N', help: `Most rows of each side that are looked at, default ${defaultSample}.` },
    { name: 'no-topics', help: 'Leave topics out, which the base model reads every row for.' },
    { name: 'no-loss', help: "Leave the adapter's losses out." },
    {
      name: 'continue',
      help: "Train on the new rows, going on from the run's adapter, with a share of the old rows (replayRatio).",
    },
    { name: 'set', value: 'k=v', isRepeatable: true, help: 'With --continue: set a hyperparameter; may be repeated.' },
    runsOption,
  ],
  maxPositionals: 1,
  run: async (args, output) => {
    const dataset = resolve(args.positional(0, 'dataset'));
    const found = chooseRun(args, dataset);
    const request = args.has('continue') ? continueRequest(found.run, found.record, found.name) : undefined;
    const hyperparameters = request && applySettings(request.hyperparameters, args.many('set'));
    let isNew = false;
    const code = await interruptible(output, async signal => {
      const measuresTopics = !args.has('no-topics');
      const measuresLoss = !args.has('no-loss');
      const pool = measuresTopics || measuresLoss ? createModelPool(output, { weights: 'float' }) : null;
      try {
        const report = await findDrift({
          dataset,
          run: found.run,
          pool,
          measuresTopics,
          measuresLoss,
          sampleRows: args.integer('sample', 10, 100_000) ?? defaultSample,
          permutations,
          seed,
          onProgress: (phase, done, total) => tellProgress(output, phase, done, total),
          signal,
        });
        isNew = report !== null;
        if (report === null) output.print(`${dataset}: no row that ${found.run} was not trained on.`);
        else tell(report, output);
        if (request === undefined || report === null)
          output.line({ type: 'result', dataset, run: found.run, newRows: report?.rows.new ?? 0, report });
        else output.line({ type: 'drift', report });
        return exitCodes.done;
      } finally {
        await pool?.release();
      }
    });
    if (code !== exitCodes.done || request === undefined || !isNew) return code;
    const order = { type: 'start', store: storeFolder(args), attached: true } as const;
    return runAttachedTrainer({ ...order, request: { ...request, hyperparameters: hyperparameters! } }, output);
  },
};

/** @throws TuneError `run-invalid` */
function chooseRun(args: CommandArguments, dataset: string) {
  const given = args.one('run');
  if (given === undefined) return findLastRun(realStore(args), dataset);
  const run = findRun(given, storeFolder(args));
  const record = readRecord(run);
  if (record !== undefined) return { run, record, name: readNotes(run).name };
  throw new TuneError('run-invalid', `${run}: expected a run with a recipe (run.json), got one without`, { file: run });
}

/** Runs know each other by their real folders. */
function realStore(args: CommandArguments): string {
  const store = storeFolder(args);
  try {
    return realpathSync(store);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return store;
    throw error;
  }
}

function tell({ rows, length, vocabulary, topics, loss, run }: DriftReport, output: Output): void {
  output.print(`${rows.new} new rows beside ${rows.old} that ${run} was trained or measured on.`);
  output.print(`length      ${judge(length)}: median ${length.oldMedian} characters before, ${length.newMedian} now`);
  const words = vocabulary.isShifted ? `: more often ${vocabulary.moreOften.join(', ')}` : '';
  output.print(`vocabulary  ${judge(vocabulary)}${words}`);
  if (topics !== null) {
    const first = topics.list[0];
    const grown =
      topics.isShifted && first !== undefined
        ? `: ${first.words.slice(0, 4).join(', ')} ${percent(first.oldShare)} before, ${percent(first.newShare)} now`
        : '';
    output.print(`topics      ${judge(topics)}${grown}`);
  }
  if (loss === null) return;
  const sure = loss.low > 0 ? 'higher' : loss.high < 0 ? 'lower' : 'not surely different';
  output.print(
    `loss        ${sure} on new rows: ${loss.newNats.toFixed(4)} nats against ${loss.heldOutNats.toFixed(4)} held out (${signed(loss.differenceNats)}, 95 % from ${signed(loss.low)} to ${signed(loss.high)})`,
  );
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;
const signed = (value: number): string => `${value < 0 ? '' : '+'}${value.toFixed(4)}`;

function judge({ statistic, expected, pValue, isShifted }: DriftMeasure): string {
  const what = isShifted ? 'shifted' : 'no shift';
  return `${what} (${statistic.toFixed(3)}, by chance ${expected.toFixed(3)}, p = ${pValue.toFixed(3)})`;
}
