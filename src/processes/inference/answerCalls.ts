/** @file The inference process's answers: models stay resident between calls, one call computes at a time. */

import type { AnsweredQuestion } from '../../core/infer/answeredQuestion.ts';
import { searchBestPrompt } from '../../core/infer/bestPrompt.ts';
import { generateText } from '../../core/infer/generateText.ts';
import { ModelPool } from '../../core/infer/modelPool.ts';
import { Turns } from '../../core/infer/takeTurns.ts';
import { forecastTrainingMs } from '../../core/jobs/forecast/forecastTime.ts';
import { forecastRun } from '../../core/jobs/prepare/forecastRun.ts';
import { listQuestions, nameBaseModel, readRunData } from '../../core/jobs/prepare/runQuestions.ts';
import { measureRounding } from '../../core/jobs/train/measureRounding.ts';
import type { HubSettings } from '../../shared/hubSettings.ts';
import type { HeldOutRow, InferenceCalls, InferenceEvents } from '../../shared/inferenceProtocol.ts';
import type { Handlers } from '../../shared/rpc.ts';

export type Emit = <K extends keyof InferenceEvents & string>(name: K, payload: InferenceEvents[K]) => void;

const searchSeed = 42;

export function answerCalls(tinyFolder: string, emit: Emit): Handlers<InferenceCalls> {
  const turns = new Turns();
  let hub: HubSettings | undefined;
  const pool = new ModelPool({
    models: {
      tinyFolder,
      get hub() {
        return { settings: hub };
      },
    },
    onProgress: (model, phase, done, total) => emit('model/progress', { model, phase, done, total }),
  });

  return {
    'hub/configure': async settings => {
      hub = settings;
      return null;
    },
    'model/open': ({ model }, signal) =>
      turns.take(async () => {
        const startedAt = performance.now();
        const { resident } = await pool.open(model, signal);
        const { contextTokens, model: opened } = resident;
        return { modelType: opened.config.modelType, contextTokens, loadMs: performance.now() - startedAt };
      }),
    'text/count': ({ model, text }, signal) =>
      turns.take(async () => {
        signal.throwIfAborted();
        const { resident } = await pool.open(model, signal);
        return { tokens: resident.tokenizer.encode(text).length };
      }),
    'generation/run': ({ id, model, adapter, messages, settings }, signal) =>
      turns.take(async () => {
        signal.throwIfAborted();
        const attached = await pool.attach(model, adapter, signal);
        const { tokenIds: _, ...generation } = await generateText(attached.session, {
          messages,
          adapter: attached.adapter,
          settings,
          signal,
          onText: text => emit('generation/text', { id, text }),
        });
        return generation;
      }),
    'prompt/search': ({ run, rows }, signal) =>
      turns.take(async () => {
        signal.throwIfAborted();
        const { record, examples } = await readRunData(run);
        return searchBestPrompt({
          session: await pool.open(nameBaseModel(record.model), signal),
          training: listQuestions(examples.train),
          keptAside: rows,
          seed: searchSeed,
          signal,
          onProgress: (done, total) => emit('prompt/progress', { run, done, total }),
        });
      }),
    'speed/measure': ({ request }, signal) =>
      turns.take(async () => {
        signal.throwIfAborted();
        const control = { ask: () => (signal.aborted ? ('stop' as const) : ('continue' as const)) };
        const options = { tinyFolder, hub, control, onPhase: () => undefined, measures: true, measureRounding };
        const clock = { now: () => performance.now(), check: () => signal.throwIfAborted() };
        return forecastRun(request, options, checked => forecastTrainingMs(checked, clock));
      }),
    'run/heldOut': async ({ run, offset, count }) => {
      const questions = listQuestions((await readRunData(run)).examples.heldOut);
      const rows = questions.slice(offset, offset + count).map((question, i) => toRow(question, offset + i));
      return { rows, total: questions.length };
    },
  };
}

function toRow({ origin, messages, reference }: AnsweredQuestion, index: number): HeldOutRow {
  return { index, line: origin.line, messages: [...messages], reference };
}
