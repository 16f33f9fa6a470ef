/**
 * @file "Find the best": data, models to choose from and minutes -> the search itself. The largest model of which several
 * trials fit the time, the method and batch that fit the memory, settings that suit both, each with its reason in words.
 */
import { usualCleaning } from '../../../shared/cleaning.ts';
import { formatBytes } from '../../../shared/formatBytes.ts';
import { formatDuration } from '../../../shared/formatDuration.ts';
import type { RunRequest } from '../../../shared/recipe.ts';
import type { SearchRequest } from '../../../shared/searchRecord.ts';
import { suggestForInspection } from '../../../shared/suggestSettings.ts';
import { countParameters } from '../../models/measureModel.ts';
import { suggestSpace } from '../../search/searchSpace.ts';
import { forecastTrainingMs } from '../forecast/forecastTime.ts';
import { planMemory } from '../forecast/memoryPlan.ts';
import { throwIfInterrupted } from '../interruption.ts';
import { type CheckedRun, type CheckOptions, checkRun } from '../prepare/checkRun.ts';

/** So many trials are to fit the time, for the search to tell something. */
const fewestTrials = 4;
const mostTrials = 40;
/** The rest goes to judging, comparing and the report. */
const searchShare = 0.75;
/** Below it all weights are trained: an adapter would have little to build on. */
const smallModelParameters = 20e6;
const batchChoices = [8, 4, 2, 1];
/** With more rows broken somebody should look at the file. */
const mostBroken = 0.1;

interface Candidate {
  readonly model: string;
  readonly base: RunRequest;
  readonly parameters: number;
  readonly fits: boolean;
  /** Of one trial; null where it cannot be known before. */
  readonly trainingMs: number | null;
  readonly reasons: readonly string[];
}

/** @throws TuneError when the data cannot be used, or no model fits */
export async function chooseAutomatically(
  request: SearchRequest,
  options: CheckOptions,
  now: () => number,
): Promise<SearchRequest> {
  const { automatic } = request;
  if (automatic === null) return request;
  const startedMs = now();
  const candidates: Candidate[] = [];
  for (const model of automatic.models) candidates.push(await consider({ ...request.base, model }, options, now));
  const totalMs = automatic.minutes * 60_000;
  const searchMs = Math.max(0.3 * totalMs, searchShare * totalMs - (now() - startedMs));
  const { chosen, why } = pickCandidate(candidates, searchMs);
  const base = limitSteps(chosen, searchMs);
  const { hyperparameters } = base;
  return {
    ...request,
    base,
    settings: {
      ...request.settings,
      space: suggestSpace(hyperparameters),
      budget: { trials: mostTrials, minutes: searchMs / 60_000, tokens: null },
    },
    automatic: { ...automatic, decisions: [...chosen.reasons, ...why] },
  };
}

async function consider(asked: RunRequest, options: CheckOptions, now: () => number): Promise<Candidate> {
  const first = await checkTolerantly(asked, options);
  const { checked, reasons } = first;
  let settings = checked.request.hyperparameters;
  const parameters = countParameters(checked.architecture);
  try {
    const method = parameters < smallModelParameters ? 'full' : 'lora';
    settings = { ...settings, method };
    reasons.push(
      method === 'full'
        ? `Method: all weights, because the model is small (${describeCount(parameters)}).`
        : `Method: a LoRA adapter beside the frozen weights (${describeCount(parameters)}).`,
    );
    const { report } = checked.sides;
    const { hiddenSize, maxContextTokens } = checked.architecture.config;
    const suggestion = suggestForInspection(
      {
        model: { hiddenSize, parameterCount: parameters, maxContextTokens },
        tokens: {
          total: report.tokens,
          supervised: report.supervisedTokens,
          longestRow: report.longestTokens,
          rowsOverContext: report.truncatedRows,
        },
        usableRows: report.rows,
      },
      settings,
    );
    if (suggestion !== null) {
      settings = { ...settings, ...suggestion.values };
      reasons.push(...suggestion.reasons);
    }
    const batchRows = batchChoices.find(rows => fitsMemory(checked, { ...settings, batchRows: rows }));
    settings = { ...settings, batchRows: batchRows ?? 1 };
    reasons.push(describeMemory(checked, settings, batchRows !== undefined));
  } finally {
    closeModels(checked);
  }
  throwIfInterrupted(options.control);
  const base = { ...first.request, hyperparameters: settings };
  const again = await checkRun(base, { ...options, measures: true });
  try {
    options.onPhase('measuring speed', 0, 1);
    const clock = { now, check: () => throwIfInterrupted(options.control) };
    const trainingMs = await forecastTrainingMs(again, clock);
    const fits = !again.refusals.some(({ code }) => code === 'memory');
    if (trainingMs !== null) reasons.push(`Time: about ${formatDuration(trainingMs)} for one trial, as measured.`);
    return { model: asked.model, base, parameters, fits, trainingMs, reasons };
  } finally {
    closeModels(again);
  }
}

/** A few broken rows are left out; many are the user's to look at. */
async function checkTolerantly(
  request: RunRequest,
  options: CheckOptions,
): Promise<{ checked: CheckedRun; request: RunRequest; reasons: string[] }> {
  const datasets = request.datasets.map(dataset => ({ ...dataset, cleaning: dataset.cleaning ?? usualCleaning }));
  const tolerant: RunRequest = {
    ...request,
    datasets,
    overrides: [...new Set([...request.overrides, 'brokenRows' as const])],
  };
  const checked = await checkRun(tolerant, options);
  const rows = checked.sources.reduce((sum, { dataset }) => sum + dataset.rows, 0);
  const broken = checked.sources.reduce((sum, { dataset }) => sum + dataset.brokenRows, 0);
  if (broken > mostBroken * rows && !request.overrides.includes('brokenRows')) {
    closeModels(checked);
    // Says which rows are broken, and how.
    return {
      checked: await checkRun({ ...request, datasets }, options),
      request: { ...request, datasets },
      reasons: [],
    };
  }
  const removed = checked.sources.reduce((sum, { dataset }) => sum + dataset.usableRows - dataset.examples.length, 0);
  const counted = `Data: ${rows} rows read, ${checked.forecast.trainRows} for training, ${checked.forecast.heldOutRows} held out`;
  const cleaned = `Cleaning removed ${removed} training rows (${usualCleaning.steps.map(({ step }) => step).join(', ')}).`;
  return {
    checked,
    request: broken === 0 ? { ...request, datasets } : tolerant,
    reasons: [
      broken === 0 ? `${counted}; all can be used.` : `${counted}; ${broken} that are broken were left out.`,
      cleaned,
    ],
  };
}

function pickCandidate(candidates: readonly Candidate[], searchMs: number): { chosen: Candidate; why: string[] } {
  const fitting = candidates.filter(({ fits }) => fits);
  const known = fitting.length > 0 ? fitting : candidates;
  const inTime = known.filter(({ trainingMs }) => trainingMs === null || trainingMs * fewestTrials <= searchMs);
  const bySize = [...inTime].sort((a, b) => b.parameters - a.parameters);
  const bySpeed = [...known].sort((a, b) => (a.trainingMs ?? Infinity) - (b.trainingMs ?? Infinity));
  const chosen = bySize[0] ?? bySpeed[0]!;
  const others = candidates
    .filter(candidate => candidate !== chosen)
    .map(candidate => {
      if (!candidate.fits) return `${candidate.model} does not fit the memory limit.`;
      if (candidate.parameters < chosen.parameters) return `${candidate.model} is smaller.`;
      return `${candidate.model} would take ${formatDuration(candidate.trainingMs ?? 0)} a trial.`;
    });
  const reason =
    candidates.length === 1
      ? `Model: ${chosen.model}, the only one there was to choose from.`
      : `Model: ${chosen.model}, the largest of which ${fewestTrials} trials fit ${formatDuration(searchMs)}. ${others.join(' ')}`;
  return { chosen, why: [reason] };
}

/** Where not even a few trials fit the time, each is cut so that they do. */
function limitSteps({ base, trainingMs, reasons }: Candidate, searchMs: number): RunRequest {
  if (trainingMs === null || trainingMs * fewestTrials <= searchMs) return base;
  const share = searchMs / (trainingMs * fewestTrials);
  const epochs = Math.max(0.01, Number((base.hyperparameters.epochs * share).toPrecision(2)));
  (reasons as string[]).push(`Epochs: ${epochs} instead of ${base.hyperparameters.epochs}, so that a few trials fit.`);
  return { ...base, hyperparameters: { ...base.hyperparameters, epochs } };
}

function fitsMemory(
  { architecture, model, integerSpeedup }: CheckedRun,
  settings: RunRequest['hyperparameters'],
): boolean {
  const { peakMemoryBytes, memoryLimitBytes } = planMemory(architecture, model.weights, settings, { integerSpeedup });
  return peakMemoryBytes <= memoryLimitBytes;
}

function describeMemory(
  { architecture, model, integerSpeedup }: CheckedRun,
  settings: RunRequest['hyperparameters'],
  fits: boolean,
): string {
  const { peakMemoryBytes, memoryLimitBytes } = planMemory(architecture, model.weights, settings, { integerSpeedup });
  const room = `${formatBytes(peakMemoryBytes)} of ${formatBytes(memoryLimitBytes)}`;
  return fits
    ? `Batch: ${settings.batchRows} rows, the most that fit (${room}).`
    : `Batch: ${settings.batchRows} row, and even that needs ${room}.`;
}

function closeModels({ model, teacher }: CheckedRun): void {
  model.close();
  teacher?.model.close();
}

const describeCount = (parameters: number): string =>
  `${(parameters / 1e6).toFixed(parameters < 10e6 ? 1 : 0)} million weights`;
