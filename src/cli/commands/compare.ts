/** `tuning-fork compare`: the same questions to base, base with its best prompt, and tuned model; who answers better. */
import { resolve } from 'node:path';
import { normalizeText } from '../../core/data/normalizeQuestion.ts';
import { type AnsweredQuestion, type AskedQuestion, lastQuestion } from '../../core/infer/answeredQuestion.ts';
import { type Prompt, searchBestPrompt, writePrompt } from '../../core/infer/bestPrompt.ts';
import { type ComparedAnswer, type ComparisonResult, compareAnswers } from '../../core/infer/compareAnswers.ts';
import type { DecodingSession } from '../../core/infer/decodingSession.ts';
import { readPrompts } from '../../core/infer/readPrompts.ts';
import { listQuestions, readRunData } from '../../core/jobs/prepare/runQuestions.ts';
import { findRun } from '../../core/runs/runStore.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { TuneError } from '../../shared/errors.ts';
import type { DecodingSettings } from '../../shared/inferenceProtocol.ts';
import {
  adapterOption,
  chooseAdapter,
  chooseModel,
  createModelPool,
  decodingOptions,
  isRunFolder,
  modelOption,
  readDecoding,
  readPrecision,
  requireOne,
  tellProgress,
} from '../answering.ts';
import type { Command, CommandArguments } from '../command.ts';
import { printComparison } from '../comparisonTable.ts';
import { interruptible } from '../interruptible.ts';
import type { Output } from '../output.ts';
import { encodingOption, readEncoding, runsOption, storeFolder } from '../runOptions.ts';
import { readSplit, splitOption } from '../splitOption.ts';

/** Training rows on which the number of examples is chosen. */
const keptAside = 16;

export const compare: Command = {
  name: 'compare',
  summary: 'Answer questions with the base model, with its best prompt and with the adapter, and compare.',
  usage: '--model M --adapter RUN|DIR[+RUN|DIR]... (<prompts.jsonl> | --run RUN) [--system TEXT] [--few-shot K]',
  options: [
    modelOption,
    adapterOption,
    {
      name: 'run',
      value: 'RUN',
      help: 'Ask the questions that this run held out, and take examples from its training rows.',
    },
    splitOption,
    encodingOption,
    { name: 'limit', value: 'N', help: 'Ask the first N questions only.' },
    { name: 'system', value: 'TEXT', help: 'System text of the prompted base; default found from the training rows.' },
    { name: 'few-shot', value: 'K', help: 'Examples of the prompted base; default the best of 0, 2, 4 and 8.' },
    ...decodingOptions,
    runsOption,
  ],
  maxPositionals: 1,
  details:
    'A file of prompts is a dataset, or JSON lines such as {"prompt": "..."}. Answers are measured by token F1 where it\nholds references. The interval is that of the paired bootstrap, 95 %.',
  run: (args, output) =>
    interruptible(output, async signal => {
      const settings = readDecoding(args);
      requireOne(args.positionals[0], args.one('run'), '<prompts.jsonl> or --run RUN');
      const adapter = chooseAdapter(args.required('adapter'), args);
      const run = args.one('run') === undefined ? undefined : findRun(args.required('run'), storeFolder(args));
      const model = chooseModel(args, [...adapter.paths, ...(run === undefined ? [] : [run])]);
      const { questions, training } = await readRows(args, run, adapter.paths);
      const pool = createModelPool(output, readPrecision(args));
      try {
        const base = await pool.attach(model, null, signal);
        const prompt = await choosePrompt(args, output, {
          session: base.session,
          questions,
          training,
          settings,
          signal,
        });
        const tuned = await pool.attach(model, adapter.paths, signal);
        const comparison = compareAnswers({ questions, base, tuned, prompt, settings, signal });
        let done = 0;
        for (;;) {
          const next = await comparison.next();
          if (next.done === true) {
            tellResult(output, next.value, { model, adapter: adapter.name, prompt });
            return exitCodes.done;
          }
          tellAnswer(output, next.value, adapter.name);
          if (next.value.kind === 'adapter') tellProgress(output, 'comparing', ++done, questions.length);
        }
      } finally {
        await pool.release();
      }
    }),
};

interface Rows {
  readonly questions: readonly AskedQuestion[];
  /** Rows that examples may come from; none of the questions is among them. */
  readonly training: readonly AnsweredQuestion[];
}

async function readRows(args: CommandArguments, run: string | undefined, adapters: readonly string[]): Promise<Rows> {
  const limit = args.integer('limit', 1, 1_000_000) ?? Number.POSITIVE_INFINITY;
  const side = readSplit(args);
  const source = run ?? adapters.find(isRunFolder);
  const data = source === undefined ? undefined : await readRunData(source);
  const asked =
    run === undefined
      ? await readPrompts(resolve(args.positional(0, 'prompts')), readEncoding(args))
      : listQuestions(data!.examples[side]);
  if (asked.length === 0) {
    throw new TuneError('dataset-empty', `${run}: expected questions with answers in ${side}, got none`, {
      file: run,
      hint: 'The dataset holds running text, or nothing was held out (evalRatio, testRatio). Name a file of prompts instead.',
    });
  }
  const questions = asked.slice(0, limit);
  const keys = new Set(asked.map(question => normalizeText(lastQuestion(question))));
  const training = listQuestions(data?.examples.train ?? []);
  return { questions, training: training.filter(question => !keys.has(normalizeText(lastQuestion(question)))) };
}

interface PromptChoice extends Rows {
  readonly session: DecodingSession;
  readonly settings: DecodingSettings;
  readonly signal: AbortSignal;
}

async function choosePrompt(args: CommandArguments, output: Output, choice: PromptChoice): Promise<Prompt | null> {
  const { session, questions, training, settings, signal } = choice;
  const system = args.one('system');
  const count = args.integer('few-shot', 0, 64);
  if (training.length === 0) {
    if (count !== undefined && count > 0) {
      throw new TuneError('usage', '--few-shot: expected training rows to take examples from, got none', {
        hint: 'Name the run with --run, or give its folder as --adapter.',
      });
    }
    if (system === undefined) output.say('No prompted answers: without a run there are no training rows for a prompt.');
    return system === undefined ? null : { system, examples: [] };
  }
  const search = { session, training, keptAside, seed: settings.seed, system, signal };
  if (count !== undefined) return writePrompt(search, count, questions, settings.maxTokens);
  const onProgress = (done: number, total: number) => tellProgress(output, 'searching the best prompt', done, total);
  const best = await searchBestPrompt({ ...search, onProgress });
  const scores = best.scores.map(({ k, tokenF1 }) => `${k}: ${tokenF1.toFixed(3)}`).join(', ');
  output.say(
    `Best prompt: ${best.chosenK} examples (token F1 on training rows kept aside by number of examples: ${scores}).`,
  );
  return best;
}

function tellAnswer(output: Output, { kind, question, generation }: ComparedAnswer, adapter: string): void {
  const { text, promptTokens, outputTokens, firstTokenMs, tokensPerSecond } = generation;
  const { reference } = question;
  output.line({
    type: 'generation',
    adapter: kind === 'adapter' ? adapter : null,
    kind,
    prompt: lastQuestion(question),
    text,
    ...(reference === undefined ? {} : { reference }),
    promptTokens,
    outputTokens,
    firstTokenMs,
    tokensPerSecond,
  });
  if (kind === 'base') output.print(`\n${lastQuestion(question)}`);
  output.print(`  ${kind.padEnd(9)} ${text.trim().replaceAll('\n', '\n            ')}`);
  if (kind === 'adapter' && reference !== undefined) output.print(`  reference ${reference.trim()}`);
}

function tellResult(
  output: Output,
  result: ComparisonResult,
  facts: { readonly model: string; readonly adapter: string; readonly prompt: Prompt | null },
): void {
  printComparison(output, result);
  output.line({ type: 'result', ...facts, ...result });
}
