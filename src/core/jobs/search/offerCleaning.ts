/** @file The rows of a search -> which ways to clean them are worth a trial: those that leave other training rows. */
import { createHash } from 'node:crypto';
import { type CleaningLevel, cleaningLevels } from '../../../shared/cleaning.ts';
import { TuneError } from '../../../shared/errors.ts';
import type { RunRequest } from '../../../shared/recipe.ts';
import { cleaningName, type SearchParameter, type SearchRequest } from '../../../shared/searchRecord.ts';
import { cleaningLevelNames, findCleaningChoice, parseCleaningParameter } from '../../search/cleaningChoice.ts';
import { interruptible } from '../interruption.ts';
import type { CheckOptions } from '../prepare/checkRun.ts';
import { readSources } from '../prepare/readSources.ts';

/** The request with cleaning among what is searched, where it was to be offered and makes a difference. */
export async function offerCleaning(request: SearchRequest, options: CheckOptions): Promise<SearchRequest> {
  const { settings, base, automatic } = request;
  if (!settings.offersCleaning || settings.space.some(({ name }) => name === cleaningName)) return request;
  const every = parseCleaningParameter(undefined);
  const own = findCleaningChoice(base.datasets, every.distribution);
  // Steps of the user's own stay as they are.
  if (own === undefined) return request;
  options.onPhase('what cleaning changes', 0, 1);
  const levels = await interruptible(options.control, signal => findDifferent(base, own as CleaningLevel, signal));
  if (levels.length < 2) return request;
  const parameter: SearchParameter = { name: cleaningName, distribution: { kind: 'choice', choices: levels } };
  const said = `Cleaning is searched too, because ${levels.join(', ')} leave different training rows; held-out rows stay the same.`;
  return {
    ...request,
    settings: { ...settings, space: [...settings.space, parameter] },
    automatic: automatic === null ? null : { ...automatic, decisions: [...automatic.decisions, said] },
  };
}

/** Levels in their order, of those with equal rows one alone, the recipe's own before the others. */
async function findDifferent(base: RunRequest, own: CleaningLevel, signal: AbortSignal): Promise<CleaningLevel[]> {
  const seen = new Set<string>();
  const different = new Set<CleaningLevel>();
  for (const level of [own, ...cleaningLevelNames.filter(name => name !== own)]) {
    const datasets = base.datasets.map(dataset => ({ ...dataset, cleaning: cleaningLevels[level] }));
    const rows = await hashTrainingRows({ ...base, datasets }, signal);
    if (rows === undefined || seen.has(rows)) continue;
    seen.add(rows);
    different.add(level);
  }
  return cleaningLevelNames.filter(level => different.has(level));
}

/** Undefined where nothing is left to train on. */
async function hashTrainingRows(request: RunRequest, signal: AbortSignal): Promise<string | undefined> {
  try {
    const sources = await readSources(request, signal, () => undefined);
    const hash = createHash('sha256');
    for (const { dataset, split } of sources) {
      for (const [row, example] of dataset.examples.entries()) {
        if (split.rows[row] === 'train') hash.update(`${JSON.stringify(example)}\n`);
      }
    }
    return hash.digest('hex');
  } catch (error) {
    if (error instanceof TuneError && error.code === 'dataset-empty') return undefined;
    throw error;
  }
}
