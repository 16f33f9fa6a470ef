/**
 * @file How a search varies the cleaning of the training rows: `cleaning=off|basic|strict`, or steps as of `tuning-fork
 * clean`. Held-out and test rows stay as they are, so that trials with other rows to learn from can be compared.
 */
import { type CleaningLevel, type CleaningRecipe, cleaningLevels } from '../../shared/cleaning.ts';
import { TuneError } from '../../shared/errors.ts';
import type { RunRequest } from '../../shared/recipe.ts';
import { cleaningName, type Distribution, type SearchParameter } from '../../shared/searchRecord.ts';
import { parseCleaning } from '../data/clean/parseCleaning.ts';

type Datasets = RunRequest['datasets'];

export const cleaningLevelNames = Object.keys(cleaningLevels) as CleaningLevel[];

/** @param range what stands behind `cleaning=`; undefined: every level */
export function parseCleaningParameter(range: string | undefined): SearchParameter {
  const choices = range === undefined ? cleaningLevelNames : range.split('|').map(text => text.trim());
  return { name: cleaningName, distribution: { kind: 'choice', choices: [...choices] } };
}

/** @throws TuneError `usage` for what is neither a level nor steps */
export function checkCleaningParameter(distribution: Distribution): void {
  if (distribution.kind !== 'choice') {
    throw new TuneError('usage', `--space ${cleaningName}: expected choices, got a range`, {
      hint: `As ${cleaningName}=${cleaningLevelNames.join('|')}`,
    });
  }
  for (const choice of distribution.choices) readCleaningChoice(choice);
}

/** The rows of a trial: those of the search, cleaned as the trial says where it says anything. */
export function applyCleaning(datasets: Datasets, settings: ReadonlyMap<string, string>): Datasets {
  const choice = settings.get(cleaningName);
  if (choice === undefined) return datasets;
  const cleaning = readCleaningChoice(choice);
  return datasets.map(({ cleaning: _own, ...dataset }) => ({
    ...dataset,
    ...(cleaning.steps.length > 0 ? { cleaning } : {}),
  }));
}

/** The choice that cleans as these datasets are cleaned anyway. */
export function findCleaningChoice(datasets: Datasets, distribution: Distribution): string | undefined {
  if (distribution.kind !== 'choice') return undefined;
  return distribution.choices.find(choice => {
    const same = JSON.stringify(readCleaningChoice(choice));
    return datasets.every(({ cleaning = cleaningLevels.off }) => JSON.stringify(cleaning) === same);
  });
}

function readCleaningChoice(choice: string): CleaningRecipe {
  const level = cleaningLevelNames.find(name => name === choice);
  if (level !== undefined) return cleaningLevels[level];
  const recipe = parseCleaning(choice);
  if (recipe.steps.length > 0) return recipe;
  throw new TuneError(
    'usage',
    `--space ${cleaningName}: expected ${cleaningLevelNames.join(', ')} or steps, got nothing`,
  );
}
