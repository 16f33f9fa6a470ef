/**
 * @file A plan of tasks -> the new rows that are kept, and what became of the others: tasks are asked in waves, only as many
 * as the wanted number of rows still needs.
 */
import type {
  AugmentationCounts,
  AugmentationMethodName,
  AugmentationProblem,
  AugmentationRecipe,
} from '../../../shared/augmentation.ts';
import type { SourceDocument } from '../../data/documents/passage.ts';
import type { Example } from '../../data/example.ts';
import type { Teacher } from '../../teachers/teacher.ts';
import type { AnswerJournal } from '../distill/answerJournal.ts';
import { askAll, askTasks, countAnswered, type TaskAnswers } from './askTasks.ts';
import { type AugmentTask, type NewRow, textOf } from './augmentTask.ts';
import { joinThesaurus, planThesaurus } from './makeThesaurus.ts';
import { planTasks } from './planTasks.ts';
import { type Fate, sieveRows } from './sieveRows.ts';
import type { Thesaurus } from './thesaurus.ts';

export interface ProposalInput {
  /** Rows that new ones are made of. */
  readonly training: readonly Example[];
  /** All rows of the training side, which new ones must not repeat. */
  readonly beside: readonly Example[];
  readonly keptAside: readonly Example[];
  readonly documents: readonly SourceDocument[];
  readonly recipe: AugmentationRecipe;
  /** As given; the teacher's is made where a method has none. */
  readonly thesaurus: Thesaurus;
  /** Most rows that are kept. */
  readonly limit: number;
  readonly similarity: number;
  readonly seed: number;
  readonly teacher: Teacher | undefined;
  readonly journal: AnswerJournal;
  readonly countTokens: (text: string) => number;
  readonly nameFile: (file: string) => string;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

interface ProposedRow extends NewRow {
  readonly method: AugmentationMethodName;
  readonly part: 'question' | 'answer';
  readonly index: number;
  readonly file: string;
  readonly line: number | null;
}

export interface Proposal {
  /** In the order of their sources. */
  readonly kept: readonly ProposedRow[];
  readonly counts: AugmentationCounts;
  readonly problems: readonly AugmentationProblem[];
  /** Where the teacher made one. */
  readonly madeThesaurus: Thesaurus | undefined;
}

/** @throws TuneError as the teacher; AbortError when cancelled */
export async function proposeRows(input: ProposalInput): Promise<Proposal> {
  const { journal, signal, limit } = input;
  const progress = new Progress(input.onProgress);
  const asking = { teacher: teacherOf(input), journal, onAnswer: () => progress.note(), signal };
  const madeThesaurus = await askThesaurus(input, asking, progress);
  const thesaurus = new Map([...(madeThesaurus ?? []), ...input.thesaurus]);
  const tasks = planTasks({
    ...input,
    context: { thesaurus, seed: input.seed, teacher: input.teacher?.name ?? null, nameFile: input.nameFile },
  });
  const counts = { ...noCounts, tasks: tasks.length };
  const problems: AugmentationProblem[] = [];
  const proposed: ProposedRow[] = [];
  let fates: Fate[] = [];
  let at = 0;
  const countKept = () => fates.filter(fate => fate === 'kept').length;
  // Each wave may be twice the last: where little is kept, it is not looked for one by one.
  for (let least = 1; at < tasks.length && countKept() < limit; least *= 2) {
    const wave = takeWave(tasks, at, Math.max(least, limit - countKept()));
    at += wave.length;
    const questions = wave.reduce((sum, { method }) => sum + questionsOf[method], 0);
    progress.expect(questions - countAnswered(wave, journal));
    const answers = await askTasks(wave, asking);
    for (const [i, task] of wave.entries()) {
      const outcome = finish(task, answers[i]!);
      if ('code' in outcome) {
        counts[outcome.code]++;
        problems.push(outcome);
        continue;
      }
      const { method, part, index, file, line } = task;
      for (const row of outcome.rows) proposed.push({ ...row, method, index, file, line, part });
    }
    fates = await sieve(proposed, input);
  }
  counts.notNeeded = tasks.length - at;
  for (const fate of fates) counts[fate]++;
  const all = proposed.filter((_, i) => fates[i] === 'kept');
  const kept = all.slice(0, limit).sort((a, b) => a.index - b.index);
  counts.surplus = all.length - kept.length;
  counts.kept = kept.length;
  return { kept, counts, problems, madeThesaurus };
}

const questionsOf: Readonly<Record<AugmentationMethodName, number>> = {
  synonyms: 0,
  paraphrase: 1,
  backTranslation: 2,
  questions: 1,
};

const noCounts: AugmentationCounts = {
  tasks: 0,
  notNeeded: 0,
  refused: 0,
  cut: 0,
  unreadable: 0,
  unchanged: 0,
  heldOutCopies: 0,
  duplicates: 0,
  nearDuplicates: 0,
  surplus: 0,
  kept: 0,
};

function teacherOf({ teacher }: ProposalInput): () => Promise<Teacher> {
  return async () => {
    if (teacher === undefined) throw new Error('internal: augmentation: expected a teacher for a question, got none');
    return teacher;
  };
}

async function askThesaurus(
  { recipe, training, journal }: ProposalInput,
  asking: Parameters<typeof askAll>[1],
  progress: Progress,
): Promise<Thesaurus | undefined> {
  const methods = recipe.methods.filter(method => method.method === 'synonyms').filter(m => m.thesaurus === '');
  if (methods.length === 0) return undefined;
  const questions = planThesaurus(training, methods);
  progress.expect(questions.filter(({ row }) => !journal.outcomes.has(row)).length);
  await askAll(questions, asking);
  return joinThesaurus(questions.map(({ row }) => journal.outcomes.get(row)));
}

function takeWave(tasks: readonly AugmentTask[], from: number, wanted: number): AugmentTask[] {
  const wave: AugmentTask[] = [];
  for (let expected = 0; from + wave.length < tasks.length && expected < wanted; ) {
    const task = tasks[from + wave.length]!;
    wave.push(task);
    expected += task.expectedRows;
  }
  return wave;
}

function finish(task: AugmentTask, answers: TaskAnswers): AugmentationProblem | { rows: readonly NewRow[] } {
  const { method, file, line } = task;
  const where = line === null ? file : `${file}:${line}`;
  const tell = (code: AugmentationProblem['code'], what: string): AugmentationProblem => ({
    file,
    line,
    method,
    code,
    message: `${where}: ${method}: ${what}`,
  });
  if (answers.kind !== 'answers') {
    const { kind, reason } = answers;
    if (kind === 'refused') return tell(kind, `the teacher gave no answer: ${reason}`);
    return tell(kind, `the answer reached its limit of tokens: ${begin(reason)}`);
  }
  const read = task.finish(answers.answers);
  if ('reason' in read) {
    return tell(
      'unreadable',
      `expected an answer in the form asked for, got ${read.reason}: ${begin(answers.answers.at(-1)!)}`,
    );
  }
  return { rows: read.value };
}

const begin = (text: string): string => JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}...` : text);

/** Questions are compared with questions and answers with answers. */
async function sieve(proposed: readonly ProposedRow[], input: ProposalInput): Promise<Fate[]> {
  const fates: Fate[] = proposed.map(() => 'kept');
  for (const part of ['question', 'answer'] as const) {
    const places = proposed.flatMap((row, i) => (row.part === part ? [i] : []));
    if (places.length === 0) continue;
    const found = await sieveRows(
      places.map(i => proposed[i]!),
      {
        training: input.beside,
        keptAside: input.keptAside,
        textOf: example => textOf(example, part),
        similarity: input.similarity,
        signal: input.signal,
      },
    );
    for (const [n, i] of places.entries()) fates[i] = found[n]!;
  }
  return fates;
}

/** Questions that were answered, of those that are known to come. */
class Progress {
  private done = 0;
  private total = 0;
  private readonly tell: (done: number, total: number) => void;

  constructor(tell: (done: number, total: number) => void) {
    this.tell = tell;
  }

  expect(questions: number): void {
    this.total += questions;
    this.tell(this.done, this.total);
  }

  note(): void {
    this.done = Math.min(this.done + 1, this.total);
    this.tell(this.done, this.total);
  }
}
