/**
 * @file The rows of a search -> which choices about them are worth trials: ways to clean the training rows, and shares of
 * synthetic rows among them. Offered are those that leave other training rows; held-out and test rows are the same for all.
 */
import { createHash } from 'node:crypto';
import { cleaningLevels } from '../../../shared/cleaning.ts';
import { TuneError } from '../../../shared/errors.ts';
import type { RunRequest } from '../../../shared/recipe.ts';
import { cleaningName, labelSearched, type SearchParameter, type SearchRequest } from '../../../shared/searchRecord.ts';
import { cleaningLevelNames, findCleaningChoice, parseCleaningParameter } from '../../search/cleaningChoice.ts';
import { interruptible } from '../interruption.ts';
import type { CheckOptions } from '../prepare/checkRun.ts';
import { readSources } from '../prepare/readSources.ts';

/** What a trial would train on if it took a choice. */
interface Variant {
  readonly choice: string;
  readonly request: RunRequest;
  /** The recipe's own. */
  readonly isOwn: boolean;
}

const syntheticName = 'maxSyntheticShare';
const syntheticShares = [0, 0.25];

/** The request with what makes a difference among what is searched, where that was to be offered. */
export async function offerDataChoices(request: SearchRequest, options: CheckOptions): Promise<SearchRequest> {
  const { settings, base, automatic } = request;
  if (!settings.offersDataChoices) return request;
  options.onPhase('what choices about the data change', 0, 1);
  const offers = { [cleaningName]: listCleanings(base), [syntheticName]: listShares(base) } as const;
  const added: SearchParameter[] = [];
  for (const name of [cleaningName, syntheticName] as const) {
    if (settings.space.some(known => known.name === name)) continue;
    const choices = await interruptible(options.control, signal => findDifferent(offers[name], signal));
    if (choices.length > 1) added.push({ name, distribution: { kind: 'choice', choices } });
  }
  const said = added.map(
    ({ name, distribution }) =>
      `${labelSearched(name)} is searched too, because ${distribution.kind === 'choice' ? distribution.choices.join(', ') : ''} leave different training rows; held-out rows stay the same.`,
  );
  return {
    ...request,
    settings: { ...settings, space: [...settings.space, ...added] },
    automatic: automatic === null ? null : { ...automatic, decisions: [...automatic.decisions, ...said] },
  };
}

/** None where the steps are the user's own: they stay as they are. */
function listCleanings(base: RunRequest): Variant[] {
  const own = findCleaningChoice(base.datasets, parseCleaningParameter(undefined).distribution);
  if (own === undefined) return [];
  return cleaningLevelNames.map(level => {
    const datasets = base.datasets.map(dataset => ({ ...dataset, cleaning: cleaningLevels[level] }));
    return { choice: level, request: { ...base, datasets }, isOwn: level === own };
  });
}

function listShares(base: RunRequest): Variant[] {
  const own = base.hyperparameters[syntheticName];
  const shares = [...new Set([...syntheticShares, own])].sort((a, b) => a - b);
  return shares.map(share => {
    const hyperparameters = { ...base.hyperparameters, [syntheticName]: share };
    return { choice: String(share), request: { ...base, hyperparameters }, isOwn: share === own };
  });
}

/** In their order; of those with equal rows one alone, the recipe's own before the others. */
async function findDifferent(variants: readonly Variant[], signal: AbortSignal): Promise<string[]> {
  const seen = new Set<string>();
  const different = new Set<string>();
  for (const { choice, request } of [...variants].sort((a, b) => Number(b.isOwn) - Number(a.isOwn))) {
    const rows = await hashTrainingRows(request, signal);
    if (rows === undefined || seen.has(rows)) continue;
    seen.add(rows);
    different.add(choice);
  }
  return variants.map(({ choice }) => choice).filter(choice => different.has(choice));
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
