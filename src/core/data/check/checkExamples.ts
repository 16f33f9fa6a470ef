/** @file Rows that can be read -> what is wrong with them as training data: each finding with its line and the step that mends it. */
import { setImmediate } from 'node:timers/promises';
import { type CleaningStepName, personalDataKinds } from '../../../shared/cleaning.ts';
import type { CheckFinding, CheckName, CheckReport } from '../../../shared/datasetChecks.ts';
import { type Example, messagesOf } from '../example.ts';
import { normalizeText, questionKey } from '../normalizeQuestion.ts';
import { answerOf, textsOf } from './exampleTexts.ts';
import { hasMarkup } from './markup.ts';
import { hasLostCharacters, mendMojibake } from './mojibake.ts';
import { findNearDuplicates, groupNearDuplicates } from './nearDuplicates.ts';
import { findPersonalData } from './personalData.ts';
import { findRoleProblem } from './roleOrder.ts';
import { findConflicts, findDuplicates, findLanguages, repeatsQuestion } from './rowRules.ts';

export interface CheckOptions {
  /** Jaccard similarity of 5-grams from which two rows count as nearly equal. Default 0.8. */
  readonly similarity?: number | undefined;
  /** Rows that must not be trained on. */
  readonly heldOut?: readonly Example[] | undefined;
  /** Tokens of each row, as the model counts them, and what it may hold. */
  readonly tokens?: { readonly counts: ArrayLike<number>; readonly contextTokens: number } | undefined;
  /** Findings kept of each check; all are counted. Default 100. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const rowsATurn = 500;
const usualSimilarity = 0.8;

/** Every check over all rows. @throws AbortError when cancelled */
export async function checkExamples(examples: readonly Example[], options: CheckOptions = {}): Promise<CheckReport> {
  const findings = new FindingList(examples, options.limit ?? 100);
  await checkEach(examples, options, findings);
  checkBesideEachOther(examples, findings);
  await checkNearness(examples, options, findings);
  const { counts, main } = findLanguages(examples);
  return { rows: examples.length, checks: findings.report(), languages: counts, mainLanguage: main ?? null };
}

async function checkEach(
  examples: readonly Example[],
  { tokens, signal, onProgress }: CheckOptions,
  findings: FindingList,
): Promise<void> {
  for (const [index, example] of examples.entries()) {
    if (index % rowsATurn === rowsATurn - 1) {
      await setImmediate();
      signal?.throwIfAborted();
      onProgress?.(index, 2 * examples.length);
    }
    const texts = textsOf(example);
    if (texts.some(hasLostCharacters))
      findings.add('lostCharacters', index, 'characters that were lost when the text was decoded');
    else if (texts.some(text => mendMojibake(text) !== text))
      findings.add('mojibake', index, 'UTF-8 that was read as another encoding');
    if (texts.some(hasMarkup)) findings.add('html', index, 'HTML tags or entities');
    const kinds = new Set(texts.flatMap(text => findPersonalData(text, personalDataKinds).map(({ kind }) => kind)));
    if (kinds.size > 0) findings.add('personalData', index, `personal data (${[...kinds].join(', ')})`);
    if (repeatsQuestion(example)) findings.add('answerEqualsQuestion', index, 'an answer that repeats the question');
    const problem = example.kind === 'text' ? undefined : findRoleProblem(messagesOf(example));
    if (problem !== undefined) findings.add('roleOrder', index, problem);
    const count = tokens?.counts[index];
    if (tokens !== undefined && count !== undefined && count > tokens.contextTokens) {
      findings.add('overContext', index, `${count} tokens where the context holds ${tokens.contextTokens}`);
    }
  }
}

function checkBesideEachOther(examples: readonly Example[], findings: FindingList): void {
  for (const [index, first] of findDuplicates(examples).entries()) {
    if (first !== undefined) findings.add('duplicate', index, 'the same row', first);
  }
  const answerOfRow = (index: number) => normalizeText(answerOf(examples[index]!));
  for (const [first, ...others] of findConflicts(examples)) {
    for (const index of others) {
      if (answerOfRow(index) === answerOfRow(first!)) continue;
      findings.add('conflictingAnswers', index, 'another answer to the same question', first);
    }
  }
  const { rows, main } = findLanguages(examples);
  if (main === undefined) return;
  for (const [index, language] of rows.entries()) {
    if (language !== undefined && language !== main)
      findings.add('language', index, `text in ${language} among rows in ${main}`);
  }
}

async function checkNearness(
  examples: readonly Example[],
  { similarity = usualSimilarity, heldOut = [], signal, onProgress }: CheckOptions,
  findings: FindingList,
): Promise<void> {
  const duplicates = findDuplicates(examples);
  const near = await findNearRows(examples, {
    similarity,
    signal,
    onProgress: (done, total) => onProgress?.(total + done, 2 * total),
  });
  for (const [index, found] of near.entries()) {
    if (found === undefined || duplicates[index] !== undefined) continue;
    findings.add('nearDuplicate', index, `a row ${Math.floor(100 * found.similarity)} % equal`, found.of);
  }
  for (const [index, leak] of (await findLeaks(examples, heldOut, { similarity, signal })).entries()) {
    if (leak === undefined) continue;
    const { file, line } = heldOut[leak]!.origin;
    findings.add('leak', index, `a held-out row (${file}:${line})`);
  }
}

type NearOptions = Parameters<typeof findNearDuplicates>[1];

export function findNearRows(examples: readonly Example[], options: NearOptions) {
  return findNearDuplicates(
    examples.map(example => textsOf(example).join('\n')),
    options,
  );
}

/** The group of each row, by the similarity from which rows count as nearly equal. @throws AbortError when cancelled */
export function groupNearRows(
  examples: readonly Example[],
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<Int32Array> {
  const texts = examples.map(example => textsOf(example).join('\n'));
  return groupNearDuplicates(texts, { similarity: usualSimilarity, signal });
}

/** For each row the held-out row that asks the same or is nearly equal. */
export async function findLeaks(
  examples: readonly Example[],
  heldOut: readonly Example[],
  options: Omit<NearOptions, 'referenceCount'>,
): Promise<(number | undefined)[]> {
  if (heldOut.length === 0) return examples.map(() => undefined);
  const byQuestion = new Map(heldOut.map((example, index) => [questionKey(example), index]));
  const texts = [...heldOut, ...examples].map(example => textsOf(example).join('\n'));
  // Each row by itself beside the held-out ones: rows must not hide each other.
  const near = await findNearDuplicates(texts, {
    ...options,
    referenceCount: heldOut.length,
    isAgainstReferences: true,
  });
  return examples.map((example, index) => byQuestion.get(questionKey(example)) ?? near[heldOut.length + index]?.of);
}

interface CheckText {
  readonly expected: string;
  readonly step: CleaningStepName;
}

const checkTexts: Readonly<Record<CheckName, CheckText>> = {
  duplicate: { expected: 'each row once', step: 'dropDuplicates' },
  nearDuplicate: { expected: 'rows that differ', step: 'dropNearDuplicates' },
  conflictingAnswers: { expected: 'one answer to a question', step: 'dropConflicts' },
  answerEqualsQuestion: { expected: 'an answer that says more than the question', step: 'dropEqualAnswers' },
  roleOrder: { expected: 'user and assistant in turn', step: 'fixRoles' },
  html: { expected: 'plain text', step: 'stripHtml' },
  mojibake: { expected: 'text in its own encoding', step: 'fixMojibake' },
  lostCharacters: { expected: 'whole text', step: 'dropMojibake' },
  personalData: { expected: 'no personal data', step: 'maskPersonalData' },
  language: { expected: 'one language', step: 'keepLanguage' },
  overContext: { expected: 'rows that fit the context', step: 'dropOverContext' },
  leak: { expected: 'training rows that are not held out', step: 'dropLeaked' },
};

class FindingList {
  private readonly byCheck = new Map<CheckName, { count: number; findings: CheckFinding[] }>();
  private readonly examples: readonly Example[];
  private readonly limit: number;

  constructor(examples: readonly Example[], limit: number) {
    this.examples = examples;
    this.limit = limit;
  }

  /** @param got what stands there, in words; with the row of which it is a copy, where there is one */
  add(check: CheckName, index: number, got: string, related?: number): void {
    const held = this.byCheck.get(check) ?? { count: 0, findings: [] };
    this.byCheck.set(check, held);
    held.count++;
    if (held.findings.length >= this.limit) return;
    const { file, line } = this.examples[index]!.origin;
    const other = related === undefined ? undefined : this.examples[related]!.origin;
    const beside =
      other === undefined ? '' : other.file === file ? ` as line ${other.line}` : ` as ${other.file}:${other.line}`;
    held.findings.push({
      check,
      file,
      line,
      message: `${file}:${line}: expected ${checkTexts[check].expected}, got ${got}${beside}`,
      relatedLine: other?.file === file ? other.line : null,
    });
  }

  report(): CheckReport['checks'] {
    return (Object.keys(checkTexts) as CheckName[]).flatMap(check => {
      const held = this.byCheck.get(check);
      if (held === undefined) return [];
      held.findings.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
      return [{ check, count: held.count, step: checkTexts[check].step, findings: held.findings }];
    });
  }
}
