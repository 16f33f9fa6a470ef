/**
 * @file Examples and a recipe -> the examples that are left, and for each step what it changed and removed. Steps run in
 * order over what the step before left; nothing else is touched, and the same recipe gives the same rows again.
 */
import { setImmediate } from 'node:timers/promises';
import type { CleaningRecipe, CleaningStep } from '../../../shared/cleaning.ts';
import { TuneError } from '../../../shared/errors.ts';
import { findLeaks, findNearRows } from '../check/checkExamples.ts';
import { answerOf, changeTexts, textsOf } from '../check/exampleTexts.ts';
import { stripMarkup } from '../check/markup.ts';
import { hasLostCharacters, mendMojibake } from '../check/mojibake.ts';
import { findPersonalData, maskPersonalData } from '../check/personalData.ts';
import { mendRoles } from '../check/roleOrder.ts';
import { findConflicts, findDuplicates, findLanguages, repeatsQuestion } from '../check/rowRules.ts';
import type { Example } from '../example.ts';

export interface CleaningOptions {
  /** For `dropLeaked`. */
  readonly heldOut?: readonly Example[] | undefined;
  /** For `dropOverContext`: the tokens of a row, as the model counts them. */
  readonly countTokens?: ((example: Example) => number) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((step: number, steps: number) => void) | undefined;
}

export interface RemovedExample {
  readonly example: Example;
  /** Why, in words. */
  readonly reason: string;
}

export interface ChangedExample {
  readonly before: Example;
  readonly after: Example;
}

export interface CleanedStep {
  readonly step: CleaningStep;
  readonly rowsBefore: number;
  readonly rowsAfter: number;
  readonly removed: readonly RemovedExample[];
  readonly changed: readonly ChangedExample[];
}

export interface CleanedExamples {
  readonly examples: readonly Example[];
  /** Of each of them: where it stood among those that were given. */
  readonly rows: readonly number[];
  readonly steps: readonly CleanedStep[];
}

/** @throws TuneError `usage` for a step that lacks what it compares with; AbortError when cancelled */
export async function cleanExamples(
  examples: readonly Example[],
  { steps }: CleaningRecipe,
  options: CleaningOptions = {},
): Promise<CleanedExamples> {
  let left = examples;
  let rows = examples.map((_, row) => row);
  const done: CleanedStep[] = [];
  for (const [index, step] of steps.entries()) {
    options.onProgress?.(index, steps.length);
    await setImmediate();
    options.signal?.throwIfAborted();
    const outcomes = await runStep(left, step, options);
    const cleaned: CleanedStep = {
      step,
      rowsBefore: left.length,
      rowsAfter: outcomes.filter(outcome => typeof outcome !== 'string').length,
      removed: outcomes.flatMap((outcome, i) =>
        typeof outcome === 'string' ? [{ example: left[i]!, reason: outcome }] : [],
      ),
      changed: outcomes.flatMap((outcome, i) =>
        typeof outcome === 'string' || outcome === left[i] ? [] : [{ before: left[i]!, after: outcome }],
      ),
    };
    done.push(cleaned);
    rows = rows.filter((_, i) => typeof outcomes[i] !== 'string');
    left = outcomes.filter(outcome => typeof outcome !== 'string');
  }
  options.onProgress?.(steps.length, steps.length);
  return { examples: left, rows, steps: done };
}

/** Of a row: itself, changed or not, or why it goes. */
type Outcome = Example | string;

async function runStep(examples: readonly Example[], step: CleaningStep, options: CleaningOptions): Promise<Outcome[]> {
  const { signal } = options;
  switch (step.step) {
    case 'normalizeText':
      return changeAll(examples, normalizeWriting, signal);
    case 'fixMojibake':
      return changeAll(examples, mendMojibake, signal);
    case 'stripHtml':
      return changeAll(examples, stripMarkup, signal);
    case 'maskPersonalData':
      return changeAll(examples, text => maskPersonalData(text, step.kinds), signal);
    case 'dropPersonalData':
      return dropWhere(examples, example => {
        const kinds = new Set(
          textsOf(example).flatMap(text => findPersonalData(text, step.kinds).map(({ kind }) => kind)),
        );
        return kinds.size > 0 && `holds ${[...kinds].join(', ')}`;
      });
    case 'fixRoles':
      return examples.map(example => mendRoles(example) ?? 'no question and answer in turn');
    case 'dropMojibake':
      return dropWhere(examples, example => textsOf(example).some(hasLostCharacters) && 'characters were lost');
    case 'dropEqualAnswers':
      return dropWhere(examples, example => repeatsQuestion(example) && 'the answer repeats the question');
    case 'dropDuplicates': {
      const copies = findDuplicates(examples);
      return dropWhere(examples, (_, i) => copies[i] !== undefined && `equals ${nameRow(examples[copies[i]!]!)}`);
    }
    case 'dropNearDuplicates': {
      const near = await findNearRows(examples, { similarity: step.similarity, signal });
      return dropWhere(examples, (_, i) => {
        const found = near[i];
        return (
          found !== undefined && `${Math.floor(100 * found.similarity)} % equal to ${nameRow(examples[found.of]!)}`
        );
      });
    }
    case 'dropConflicts':
      return dropConflicts(examples, step.keep);
    case 'dropLeaked': {
      const { heldOut } = options;
      if (heldOut === undefined) throw lacking('dropLeaked', 'a held-out dataset', 'Name it with --held-out.');
      const leaks = await findLeaks(examples, heldOut, { similarity: step.similarity, signal });
      return dropWhere(examples, (_, i) => leaks[i] !== undefined && `held out as ${nameRow(heldOut[leaks[i]!]!)}`);
    }
    case 'dropShort':
      return dropWhere(examples, example => {
        const { length } = answerOf(example).trim();
        return length < step.minCharacters && `${length} characters`;
      });
    case 'dropLong':
      return dropWhere(examples, example => {
        const characters = textsOf(example).reduce((sum, text) => sum + text.length, 0);
        return characters > step.maxCharacters && `${characters} characters`;
      });
    case 'dropOverContext': {
      const { countTokens } = options;
      if (countTokens === undefined)
        throw lacking('dropOverContext', 'a model that counts tokens', 'Name it with --model.');
      return dropWhere(examples, example => {
        const tokens = countTokens(example);
        return tokens > step.contextTokens && `${tokens} tokens`;
      });
    }
    case 'keepLanguage': {
      const { rows, main } = findLanguages(examples);
      const wanted = step.language === 'main' ? main : step.language;
      return dropWhere(
        examples,
        (_, i) => wanted !== undefined && rows[i] !== undefined && rows[i] !== wanted && `is in ${rows[i]}`,
      );
    }
  }
}

const rowsATurn = 1000;

/** A row whose texts all become empty goes. */
async function changeAll(
  examples: readonly Example[],
  change: (text: string) => string,
  signal: AbortSignal | undefined,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [index, example] of examples.entries()) {
    if (index % rowsATurn === rowsATurn - 1) {
      await setImmediate();
      signal?.throwIfAborted();
    }
    const changed = changeTexts(example, change);
    outcomes.push(changed !== example && isEmptied(changed) ? 'nothing is left of it' : changed);
  }
  return outcomes;
}

function isEmptied(example: Example): boolean {
  if (example.kind === 'text') return example.text.trim() === '';
  return (
    answerOf(example).trim() === '' || (example.kind === 'preference' && example.rejected.at(-1)?.content.trim() === '')
  );
}

function dropWhere(examples: readonly Example[], why: (example: Example, index: number) => string | false): Outcome[] {
  return examples.map((example, index) => why(example, index) || example);
}

function dropConflicts(examples: readonly Example[], keep: 'none' | 'first' | 'longest'): Outcome[] {
  const outcomes: Outcome[] = [...examples];
  for (const group of findConflicts(examples)) {
    const lengthOf = (index: number) => answerOf(examples[index]!).length;
    const longest = group.reduce((best, index) => (lengthOf(index) > lengthOf(best) ? index : best));
    const kept = keep === 'none' ? undefined : keep === 'first' ? group[0] : longest;
    for (const index of group) {
      const other = examples[group.find(one => one !== index)!]!;
      if (index !== kept) outcomes[index] = `answers otherwise than ${nameRow(other)}`;
    }
  }
  return outcomes;
}

function nameRow({ origin: { file, line } }: Example): string {
  return `${file}:${line}`;
}

function normalizeWriting(text: string): string {
  return (
    text
      .normalize('NFC')
      .replace(/\r\n?/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u200b\u2060\ufeff]/g, '')
      .replace(/\u00a0/g, ' ')
      .replace(/[ \t]+$/gm, '')
      .replace(/\n{3,}/g, '\n\n')
      .trim()
  );
}

function lacking(step: string, what: string, hint: string): TuneError {
  return new TuneError('usage', `step ${step}: expected ${what} to compare with, got none`, { hint });
}
