/** @file A dataset and a recipe -> what each step does to it and, where it is wanted, the new file. */
import { cleanExamples } from '../../core/data/clean/cleanExamples.ts';
import { reportPath, writeCleaned } from '../../core/data/clean/cleanedFile.ts';
import { describeStep } from '../../core/data/clean/describeCleaning.ts';
import type { Dataset } from '../../core/data/readDataset.ts';
import type { CleaningRecipe, CleaningResult } from '../../shared/cleaning.ts';

const shownRows = 20;

/** @param out replaced where it stands: whoever asked has confirmed it. @throws as writeCleaned; AbortError when cancelled */
export async function cleanDataset(
  dataset: Dataset,
  recipe: CleaningRecipe,
  out: string | null,
  signal: AbortSignal,
): Promise<CleaningResult> {
  const cleaned = await cleanExamples(dataset.examples, recipe, { signal });
  if (out !== null) await writeCleaned({ out, replaces: true }, dataset, recipe, cleaned);
  return {
    rowsBefore: dataset.usableRows,
    rowsAfter: cleaned.examples.length,
    brokenRows: dataset.brokenRows,
    steps: cleaned.steps.map(step => describeStep(step, shownRows)),
    written: out === null ? null : { path: out, report: reportPath(out) },
  };
}
