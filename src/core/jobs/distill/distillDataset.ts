/**
 * @file A dataset and a teacher -> a new dataset: the teacher's answers to the questions of the training rows, each with the
 * row that it came from and marked synthetic. Held-out and test rows are never asked, so that what a student learned from
 * the new file can be measured on them. Sequence-level distillation: Kim and Rush 2016, arXiv:1606.07947.
 */
import { existsSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import type { DecodingSettings } from '../../../shared/inferenceProtocol.ts';
import type { Mapping } from '../../../shared/recipe.ts';
import type { Example } from '../../data/example.ts';
import { type Dataset, readDataset } from '../../data/readDataset.ts';
import { requireTrainable } from '../../data/requireTrainable.ts';
import type { SplitOptions } from '../../data/split/splitExamples.ts';
import { splitMarked } from '../../data/split/splitMarked.ts';
import { makeFolders } from '../../formats/makeFolders.ts';
import { writeStagedFile } from '../../formats/stagedFile.ts';
import { type AnsweredQuestion, toAnsweredQuestion } from '../../infer/answeredQuestion.ts';
import type { Teacher, TeacherOutcome } from '../../teachers/teacher.ts';
import type { JobWarning } from '../jobEvents.ts';
import { AnswerJournal } from './answerJournal.ts';

export interface Distillation {
  readonly dataset: string;
  readonly mapping: Mapping | null;
  readonly skipBrokenRows: boolean;
  /** As of the runs that will train and measure: which rows are held out is a function of the questions and these. */
  readonly split: SplitOptions;
  readonly settings: DecodingSettings;
  /** Answers that reached the limit of tokens are kept too. */
  readonly keepCut: boolean;
  readonly out: string;
  /** Where the held-out rows go, with their own answers. */
  readonly heldOutFile?: string | undefined;
  readonly onProgress: (done: number, total: number) => void;
  readonly onWarning: (warning: JobWarning) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface DistillationResult {
  readonly path: string;
  readonly teacher: string;
  /** Rows of the dataset that were read. */
  readonly rows: number;
  /** Rows of the new file. */
  readonly answered: number;
  readonly cut: number;
  readonly refused: number;
  /** Training rows that ask nothing. */
  readonly withoutQuestion: number;
  /** Rows kept from the teacher: held out, and for the test. */
  readonly keptBack: number;
  /** Answers that an earlier attempt had got. */
  readonly resumed: number;
}

interface AskedRow extends AnsweredQuestion {
  readonly row: number;
}

/** Where answers wait until all are there. */
const journalPath = (out: string): string => `${out}.partial.jsonl`;

/** @throws TuneError; AbortError when cancelled. What was answered until then is kept for the next attempt. */
export async function distillDataset(distillation: Distillation, openTeacher: () => Promise<Teacher>) {
  const { mapping, split, settings, out, signal } = distillation;
  requireNew(out, distillation.dataset);
  const dataset = await readDataset(distillation.dataset, { mapping, signal });
  requireTrainable(dataset, { skipBrokenRows: distillation.skipBrokenRows });
  const { rows: sides } = splitMarked(dataset.examples, split);
  const training = dataset.examples.flatMap((example, row) => (sides[row] === 'train' ? [{ example, row }] : []));
  const asked = training.flatMap(({ example, row }): AskedRow[] => {
    const question = toAnsweredQuestion(example);
    return question === undefined ? [] : [{ ...question, row }];
  });
  if (asked.length === 0) throw nothingToAsk(dataset, training.length);
  makeFolders(dirname(out));
  const teacher = await openTeacher();
  try {
    const journal = new AnswerJournal(journalPath(out), {
      kind: 'distillation',
      version: 1,
      datasetSha256: dataset.sha256,
      mapping: dataset.mapping.mapping,
      seed: split.seed,
      evalRatio: split.evalRatio,
      testRatio: split.testRatio,
      teacher: teacher.name,
      maxTokens: settings.maxTokens,
      temperature: settings.temperature,
      topP: settings.topP,
      samplingSeed: settings.seed,
    });
    const resumed = journal.outcomes.size;
    try {
      await askOpen(distillation, asked, teacher, journal);
    } finally {
      journal.close();
    }
    const { answered, cut, refused } = writeAnswers(distillation, dataset, asked, teacher.name, journal.outcomes);
    if (distillation.heldOutFile !== undefined) {
      const heldOut = dataset.examples.filter((_, row) => sides[row] === 'heldOut');
      writeHeldOut(distillation.heldOutFile, dataset, heldOut);
    }
    journal.remove();
    const keptBack = dataset.examples.length - training.length;
    const withoutQuestion = training.length - asked.length;
    const counts = { answered, cut, refused, withoutQuestion, keptBack, resumed };
    return { path: out, teacher: teacher.name, rows: dataset.examples.length, ...counts } satisfies DistillationResult;
  } finally {
    await teacher.release();
  }
}

/** Asks what no earlier attempt has asked. */
async function askOpen(
  { onProgress, signal }: Distillation,
  asked: readonly AskedRow[],
  teacher: Teacher,
  journal: AnswerJournal,
): Promise<void> {
  const conversations = asked.filter(({ row }) => !journal.outcomes.has(row));
  onProgress(asked.length - conversations.length, asked.length);
  await teacher.answerAll({
    conversations,
    onOutcome: (row, outcome) => {
      journal.add(row, outcome);
      onProgress(journal.outcomes.size, asked.length);
    },
    signal,
  });
}

/** The new file, in the order of the dataset. */
function writeAnswers(
  { out, keepCut, onWarning }: Distillation,
  { file, sha256 }: Dataset,
  asked: readonly AskedRow[],
  teacher: string,
  outcomes: ReadonlyMap<number, TeacherOutcome>,
): { answered: number; cut: number; refused: number } {
  const counts = { answered: 0, cut: 0, refused: 0 };
  const lines: string[] = [];
  for (const { row, messages, origin } of asked) {
    const outcome = outcomes.get(row);
    if (outcome === undefined) throw new Error(`internal: distillation: expected an outcome of row ${row}, got none`);
    if (outcome.kind === 'refused') {
      counts.refused++;
      onWarning(toWarning(origin, 'teacher-refused', `the teacher gave no answer: ${outcome.reason}`, leaveOut));
      continue;
    }
    if (outcome.kind === 'cut') {
      counts.cut++;
      if (!keepCut) {
        onWarning(toWarning(origin, 'teacher-cut', 'the answer reached its limit of tokens before its end', raise));
        continue;
      }
    }
    counts.answered++;
    const source = { file: relativePath(out, file), line: origin.line, sha256 };
    const answer = { role: 'assistant', content: outcome.text };
    lines.push(JSON.stringify({ messages: [...messages, answer], synthetic: true, teacher, source }));
  }
  if (lines.length === 0) {
    throw new TuneError(
      'dataset-empty',
      `${out}: expected answers of the teacher, got none to ${asked.length} questions`,
      {
        file,
        hint: counts.cut > 0 ? raise : 'See the warnings for the reasons.',
      },
    );
  }
  writeLines(out, lines);
  return counts;
}

const leaveOut = 'The row is left out of the new file.';
const raise = 'Raise the limit of tokens (--max-tokens), or keep such answers (--keep-cut).';

function writeHeldOut(path: string, { file, sha256 }: Dataset, examples: readonly Example[]): void {
  const lines = examples.flatMap(example => {
    const question = toAnsweredQuestion(example);
    if (question === undefined) return [];
    const messages = [...question.messages, { role: 'assistant', content: question.reference }];
    const source = { file: relativePath(path, file), line: question.origin.line, sha256 };
    return [JSON.stringify({ messages, synthetic: false, source })];
  });
  makeFolders(dirname(path));
  writeLines(path, lines);
}

function writeLines(path: string, lines: readonly string[]): void {
  writeStagedFile(path, [new TextEncoder().encode(lines.map(line => `${line}\n`).join(''))]);
}

/** As seen from the file that names it, so that both can move together. */
function relativePath(from: string, to: string): string {
  const path = relative(dirname(from), to);
  return path.split(sep).join('/');
}

function toWarning(origin: AskedRow['origin'], code: string, what: string, fix: string): JobWarning {
  return { ...origin, code, message: `${origin.file}:${origin.line}: ${what}`, fix };
}

function requireNew(out: string, dataset: string): void {
  if (!existsSync(out)) return;
  const got = out === dataset ? 'the dataset itself' : 'one that exists';
  throw new TuneError('usage', `${out}: expected a new file, got ${got}`, {
    file: out,
    hint: 'Name another file for the answers, or delete this one.',
  });
}

function nothingToAsk({ file, mapping }: Dataset, rows: number): TuneError {
  return new TuneError('dataset-empty', `${file}: expected questions to ask, got none in ${rows} training rows`, {
    file,
    hint:
      mapping.mapping.kind === 'text'
        ? 'Running text asks nothing: take a dataset of questions.'
        : 'Check the mapping.',
  });
}
