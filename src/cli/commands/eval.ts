/** `tuning-fork eval`: the loss of a dataset's answers under a base model and its adapters. */
import { resolve } from 'node:path';
import type { Example } from '../../core/data/example.ts';
import { parseMapping } from '../../core/data/mapping/mapping.ts';
import { readDataset } from '../../core/data/readDataset.ts';
import { requireTrainable } from '../../core/data/requireTrainable.ts';
import { writePrompt } from '../../core/infer/bestPrompt.ts';
import type { DecodingSession } from '../../core/infer/decodingSession.ts';
import { encodePromptedAnswers } from '../../core/infer/encodeAnswer.ts';
import { evaluateLoss, toPerplexity } from '../../core/infer/evaluateLoss.ts';
import { findOutputs } from '../../core/infer/findOutput.ts';
import { readAdapters } from '../../core/infer/readAdapters.ts';
import { listQuestions, readRunData } from '../../core/jobs/prepare/runQuestions.ts';
import { findRun } from '../../core/runs/runStore.ts';
import { encodeExamples } from '../../core/text/encodeExamples.ts';
import type { EncodedRow } from '../../core/text/packedBatch.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { TuneError } from '../../shared/errors.ts';
import { defaultHyperparameters, type Hyperparameters } from '../../shared/hyperparameters.ts';
import {
  adapterOption,
  type ChosenAdapter,
  chooseAdapter,
  chooseModel,
  createModelPool,
  isRunFolder,
  modelOption,
  requireOne,
  tellProgress,
} from '../answering.ts';
import type { Command, CommandArguments } from '../command.ts';
import { interruptible } from '../interruptible.ts';
import type { Output } from '../output.ts';
import { encodingOption, readEncoding, runsOption, storeFolder } from '../runOptions.ts';
import { readSplit, splitOption } from '../splitOption.ts';

export const evaluate: Command = {
  name: 'eval',
  summary: "Measure the loss and perplexity of a dataset's answers: base model, adapters, base with examples.",
  usage: '--model M [--adapter RUN|DIR[+RUN|DIR]...]... [--few-shot K] (<dataset> | --run RUN --split heldOut|test)',
  options: [
    modelOption,
    { ...adapterOption, isRepeatable: true },
    { name: 'run', value: 'RUN', help: 'Measure on the rows that this run held out, with its context and mask.' },
    splitOption,
    {
      name: 'few-shot',
      value: 'K',
      help: "Also the base with K examples from the run's training rows before each question.",
    },
    {
      name: 'mapping',
      value: 'KIND[:slot=field,...]',
      help: "How the dataset's fields become conversations; default detected.",
    },
    encodingOption,
    { name: 'context', value: 'N', help: 'Context in tokens, default that of the run, else of training.' },
    runsOption,
  ],
  maxPositionals: 1,
  run: (args, output) =>
    interruptible(output, async signal => {
      requireOne(args.positionals[0], args.one('run'), '<dataset> or --run RUN');
      const run = args.one('run') === undefined ? undefined : findRun(args.required('run'), storeFolder(args));
      const adapters = args.many('adapter').map(text => chooseAdapter(text, args));
      const paths = adapters.flatMap(adapter => adapter.paths);
      const model = chooseModel(args, [...paths, ...(run === undefined ? [] : [run])]);
      const given = await readGiven(args, run, paths);
      const pool = createModelPool(output, { weights: 'float' });
      try {
        const session = await pool.open(model, signal);
        const settings = {
          ...given.settings,
          contextTokens: Math.min(given.settings.contextTokens, session.resident.contextTokens),
        };
        const measure = (
          rows: readonly EncodedRow[],
          adapter: ChosenAdapter | null,
          contextTokens = settings.contextTokens,
        ) => measureLoss(pool, output, { model, rows, adapter, settings: { ...settings, contextTokens }, signal });
        const rows = encodeRows(session, given.examples, settings);
        const results: Measured[] = [tell(output, {}, await measure(rows, null))];
        for (const adapter of adapters)
          results.push(tell(output, { adapter: adapter.name }, await measure(rows, adapter)));
        if (given.fewShot > 0) {
          const prompted = encodeFewShot(session, given);
          const loss = await measure(prompted.rows, null, prompted.contextTokens);
          results.push(tell(output, { fewShot: prompted.fewShot }, loss));
        }
        output.line({ type: 'result', model, rows: rows.length, results });
        return exitCodes.done;
      } finally {
        await pool.release();
      }
    }),
};

type Settings = Pick<Hyperparameters, 'contextTokens' | 'batchRows' | 'packing' | 'trainOn' | 'seed'>;

interface Given {
  readonly examples: readonly Example[];
  /** Rows that examples may come from. */
  readonly training: readonly Example[];
  readonly settings: Settings;
  readonly fewShot: number;
}

/** What is measured, and how: a run's rows as the run measured them, or a dataset's. */
async function readGiven(args: CommandArguments, run: string | undefined, adapters: readonly string[]): Promise<Given> {
  const fewShot = args.integer('few-shot', 0, 64) ?? 0;
  const side = readSplit(args);
  const source = run ?? adapters.find(isRunFolder);
  const data = source === undefined ? undefined : await readRunData(source);
  if (fewShot > 0 && data === undefined) {
    throw new TuneError('usage', '--few-shot: expected training rows to take examples from, got none', {
      hint: 'Name the run with --run, or give its folder as --adapter.',
    });
  }
  const examples = run === undefined ? await readFile(args) : data!.examples[side];
  if (examples.length === 0) {
    throw new TuneError('dataset-empty', `${run}: expected rows in ${side}, got none`, {
      file: run,
      hint: 'Nothing was held out: see evalRatio and testRatio of the run, or name a dataset.',
    });
  }
  const settings = data?.record.hyperparameters ?? defaultHyperparameters;
  const contextTokens = args.integer('context', 8, 1_000_000) ?? settings.contextTokens;
  return { examples, training: data?.examples.train ?? [], settings: { ...settings, contextTokens }, fewShot };
}

async function readFile(args: CommandArguments): Promise<readonly Example[]> {
  const mapping = args.one('mapping');
  const dataset = await readDataset(resolve(args.positional(0, 'dataset')), {
    mapping: mapping === undefined ? null : parseMapping(mapping),
    encoding: readEncoding(args),
  });
  requireTrainable(dataset);
  return dataset.examples;
}

function encodeRows({ resident }: DecodingSession, examples: readonly Example[], settings: Settings): EncodedRow[] {
  const { rows } = encodeExamples(examples, { ...resident, ...settings });
  if (rows.length > 0) return rows;
  throw new TuneError('dataset-empty', 'dataset: expected answers within the context, got none', {
    hint: `Raise --context (now ${settings.contextTokens} tokens).`,
  });
}

/** Rows in a context that holds them with their examples, as far as the model's does. */
function encodeFewShot(session: DecodingSession, { examples, training, settings, fewShot }: Given) {
  const questions = listQuestions(examples);
  const { resident } = session;
  const longest = Math.max(...questions.map(({ reference }) => resident.tokenizer.encode(reference).length));
  const search = { session, training: listQuestions(training), seed: settings.seed };
  const prompt = writePrompt(search, fewShot, questions, longest + 8);
  const rows = encodePromptedAnswers(resident, questions, prompt);
  const needed = Math.max(...rows.map(({ tokenIds }) => tokenIds.length));
  const contextTokens = Math.min(resident.contextTokens, Math.ceil(needed / 64) * 64);
  const fitting = rows.filter(({ tokenIds }) => tokenIds.length <= contextTokens);
  return { rows: fitting, contextTokens, fewShot: prompt.examples.length };
}

interface Measurement {
  readonly model: string;
  readonly rows: readonly EncodedRow[];
  readonly adapter: ChosenAdapter | null;
  readonly settings: Settings;
  readonly signal: AbortSignal;
}

/** A fully tuned model takes the place of the base. */
async function measureLoss(
  pool: ReturnType<typeof createModelPool>,
  output: Output,
  { model, rows, adapter, settings, signal }: Measurement,
) {
  const found = adapter === null ? undefined : findOutputs(adapter.paths);
  const { resident } = await pool.open(found?.kind === 'model' ? found.folder : model, signal);
  const lora = found?.kind === 'adapter' ? readAdapters(found.folders, resident.model) : null;
  const onProgress = (done: number, total: number) => tellProgress(output, 'evaluating', done, total);
  return evaluateLoss(resident, lora, rows, { ...settings, device: 'cpu', onProgress, signal });
}

interface Measured {
  readonly adapter?: string;
  readonly fewShot?: number;
  readonly evalLossNats: number;
  readonly perplexity: number;
  readonly supervisedTokens: number;
}

function tell(
  output: Output,
  what: Pick<Measured, 'adapter' | 'fewShot'>,
  { evalLossNats, supervisedTokens }: { evalLossNats: number; supervisedTokens: number },
): Measured {
  const perplexity = toPerplexity(evalLossNats);
  output.line({ type: 'evaluation', evalLossNats, perplexity, ...what });
  const label =
    what.adapter ?? (what.fewShot === undefined ? 'base model' : `base model with ${what.fewShot} examples`);
  output.print(
    `${label}: loss ${evalLossNats.toFixed(4)} nats, perplexity ${perplexity.toFixed(2)}, over ${supervisedTokens} tokens`,
  );
  return { ...what, evalLossNats, perplexity, supervisedTokens };
}
