/** @file The dataset process's answers: files are read, checked, tokenised and forecast; weights are never loaded. */
import { checkExamples } from '../../core/data/check/checkExamples.ts';
import { decideRow, listQueue } from '../../core/data/review/reviewQueue.ts';
import { compareWithSnapshot } from '../../core/data/split/compareWithSnapshot.ts';
import { readDatasetSnapshot } from '../../core/data/split/readDatasetSnapshot.ts';
import { recallTrainingMs } from '../../core/jobs/forecast/forecastTime.ts';
import { assistPipeline } from '../../core/jobs/pipeline/assistPipeline.ts';
import { checkPipelineText } from '../../core/jobs/pipeline/checkPipelineText.ts';
import { countTokens, describeRow } from '../../core/jobs/prepare/countTokens.ts';
import { describeDataset } from '../../core/jobs/prepare/describeDataset.ts';
import { forecastRun } from '../../core/jobs/prepare/forecastRun.ts';
import { makeTokenHistogram } from '../../core/jobs/prepare/tokenHistogram.ts';
import { type PythonPlace, recallPython } from '../../core/python/describePython.ts';
import type { DatasetCalls, DatasetInspection, ForecastReport } from '../../shared/datasetProtocol.ts';
import { TuneError } from '../../shared/errors.ts';
import type { Handlers } from '../../shared/rpc.ts';
import { cleanDataset } from './cleanDataset.ts';
import { DatasetCache } from './datasetCache.ts';
import { ModelLibrary } from './modelLibrary.ts';

export function answerCalls(tinyFolder: string, python: PythonPlace): Handlers<DatasetCalls> {
  const datasets = new DatasetCache();
  const models = new ModelLibrary(tinyFolder);

  /** Null without a usable model on this machine: the forecast says what is wrong with it. */
  const measure = async (
    { examples }: Awaited<ReturnType<DatasetCache['read']>>,
    model: string | null,
    contextTokens: number,
    signal: AbortSignal,
  ): Promise<Pick<DatasetInspection, 'tokens' | 'model'>> => {
    const unknown = { tokens: null, model: null };
    if (model === null || models.needsDownload(model)) return unknown;
    try {
      const { text, size } = await models.open(model);
      return { tokens: await countTokens(examples, text, contextTokens, signal), model: size };
    } catch (error) {
      if (error instanceof TuneError) return unknown;
      throw error;
    }
  };

  return {
    'hub/configure': async hub => {
      models.configure(hub);
      return null;
    },
    'dataset/inspect': async ({ path, mapping, model, contextTokens }, signal) => {
      const dataset = await datasets.read(path, mapping, signal);
      return describeDataset(dataset, dataset.examples, await measure(dataset, model, contextTokens, signal));
    },
    'dataset/check': async ({ path, mapping }, signal) => {
      const { examples } = await datasets.read(path, mapping, signal);
      return checkExamples(examples, { signal });
    },
    'dataset/lengths': async ({ path, model, contextTokens }, signal) => {
      if (models.needsDownload(model)) throw toNotHereError(model);
      const { examples } = await datasets.read(path, null, signal);
      return { model, ...(await makeTokenHistogram(examples, await models.openText(model), contextTokens, signal)) };
    },
    'review/page': async ({ path, ...request }, signal) => listQueue(await datasets.read(path, null, signal), request),
    'review/set': async ({ path, ...decision }, signal) => {
      decideRow(await datasets.read(path, null, signal), decision, new Date().toISOString());
      return null;
    },
    'dataset/clean': async ({ path, mapping, recipe, out }, signal) =>
      cleanDataset(await datasets.read(path, mapping, signal), recipe, out, signal),
    'dataset/row': async ({ path, mapping, model, row, contextTokens }, signal) => {
      if (models.needsDownload(model)) throw toNotHereError(model);
      const { examples } = await datasets.read(path, mapping, signal);
      return describeRow(examples, row, await models.openText(model), contextTokens);
    },
    'dataset/forecast': async ({ request }, signal) => {
      if (models.needsDownload(request.model)) return forecastWithoutModel(request.model);
      const control = { ask: () => (signal.aborted ? ('stop' as const) : ('continue' as const)) };
      const options = { ...models.options, control, onPhase: () => undefined, python: recallPython(python) };
      return await forecastRun(request, options, async checked => recallTrainingMs(checked));
    },
    'pipeline/check': async ({ path, text }) => {
      const { request, problems, stages } = checkPipelineText(text, path);
      return { request: request ?? null, problems, stages };
    },
    'pipeline/help': async ({ text, line, column }) => assistPipeline(text, line, column),
    'dataset/compare': async ({ path, store, snapshot }, signal) => {
      const { sameBytes, differences, differenceCount } = await compareWithSnapshot(
        path,
        await readDatasetSnapshot(store, snapshot),
        { signal },
      );
      return { sameBytes, differences, differenceCount };
    },
  };
}

/** A run may start without a forecast: its trainer downloads the model and then checks what could not be checked here. */
function forecastWithoutModel(model: string): ForecastReport {
  const finding = {
    code: 'model-not-here',
    message: `${model} is not on this machine yet.`,
    remedy: 'It is downloaded when the run starts, and the checks are made then, before training.',
    override: null,
  };
  return { forecast: null, trainingMs: null, fit: null, canStart: true, findings: [finding], error: null };
}

function toNotHereError(model: string): TuneError {
  return new TuneError('model-not-found', `${model}: expected a model on this machine, got one to be downloaded`, {
    hint: 'It is downloaded when the first run with it starts; tokens can be shown from then on.',
  });
}
