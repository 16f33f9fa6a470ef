/**
 * @file A dataset, documents, a recipe and a teacher -> a new dataset: the rows as conversations and new ones beside them, each with
 * the row or passage that it came from, its method and teacher, and marked synthetic. Held-out and test rows are no source of
 * any. What was answered is kept as it comes, so that nothing is asked twice; sources are never written to.
 */
import { existsSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';
import type {
  AugmentationCounts,
  AugmentationMethod,
  AugmentationProblem,
  AugmentationResult,
} from '../../../shared/augmentation.ts';
import type { TextEncoding } from '../../../shared/datasetFormats.ts';
import { TuneError } from '../../../shared/errors.ts';
import type { Mapping } from '../../../shared/recipe.ts';
import { answerOf, questionOf } from '../../data/check/exampleTexts.ts';
import { reportPath, toRow, writeRows } from '../../data/clean/cleanedFile.ts';
import type { SourceDocument } from '../../data/documents/passage.ts';
import { readDocuments } from '../../data/documents/readDocuments.ts';
import type { Example } from '../../data/example.ts';
import { type Dataset, readDataset } from '../../data/readDataset.ts';
import { requireTrainable } from '../../data/requireTrainable.ts';
import { countAllowed, splitMarked } from '../../data/split/splitMarked.ts';
import { makeFolders } from '../../formats/makeFolders.ts';
import { writeStagedFile } from '../../formats/stagedFile.ts';
import type { Teacher } from '../../teachers/teacher.ts';
import { AnswerJournal } from '../distill/answerJournal.ts';
import type { AugmentationChoice, AugmentationReport } from './augmentationReport.ts';
import { proposeRows } from './proposeRows.ts';
import { readThesaurus, type Thesaurus, writeThesaurus } from './thesaurus.ts';

export interface Augmentation {
  /** Null for documents alone. */
  readonly dataset: string | null;
  readonly documents: readonly string[];
  readonly mapping: Mapping | null;
  /** Of the dataset; undefined: detected. */
  readonly encoding?: TextEncoding | undefined;
  readonly skipBrokenRows: boolean;
  readonly choice: AugmentationChoice;
  /** Whose tokens chunks are measured in. */
  readonly tokenizer: { readonly name: string; readonly countTokens: (text: string) => number };
  readonly out: string;
  /** Leaves the dataset's own rows out of the new file. */
  readonly onlyNew: boolean;
  /** Writes no file but the answers, which the whole then begins with. */
  readonly isPreview: boolean;
  readonly onProgress: (done: number, total: number) => void;
  readonly onProblem: (problem: AugmentationProblem) => void;
  readonly signal?: AbortSignal | undefined;
}

const shownRows = 20;
const keptProblems = 200;

/** Where answers wait until all are there. */
export const partialPath = (out: string): string => `${out}.partial.jsonl`;

/**
 * @param openTeacher asked where a method needs one
 * @throws TuneError; AbortError when cancelled. What was answered until then is kept for the next attempt.
 */
export async function augmentDataset(
  augmentation: Augmentation,
  openTeacher: (() => Promise<Teacher>) | undefined,
): Promise<AugmentationResult> {
  const { choice, out, signal, isPreview, tokenizer } = augmentation;
  const { methods } = choice.recipe;
  requireNew(out, augmentation);
  requireSources(augmentation);
  const given = readThesauri(methods);
  const dataset = augmentation.dataset === null ? null : await readSource(augmentation.dataset, augmentation);
  const documents = augmentation.documents.length === 0 ? [] : await readDocuments(augmentation.documents, signal);
  const examples = dataset?.examples ?? [];
  const brokenRows = dataset?.brokenRows ?? 0;
  if (!augmentation.onlyNew) requireOneShape(examples, methods, out);
  const { rows: sides } = splitMarked(examples, choice.split);
  const training = examples.filter((_, row) => sides[row] === 'train');
  const people = training.filter(({ synthetic }) => synthetic === undefined);
  const needsTeacher = methods.some(method => method.method !== 'synonyms' || method.thesaurus === '');
  if (needsTeacher && openTeacher === undefined) throw lacksTeacher(methods);
  makeFolders(dirname(out));
  const teacher = needsTeacher ? await openTeacher!() : undefined;
  try {
    const { seed, rows, maxSyntheticShare, similarity: _, ...rest } = choice;
    const journal = new AnswerJournal(partialPath(out), {
      kind: 'augmentation',
      version: 1,
      dataset: dataset === null ? null : dataset.sha256,
      mapping: dataset?.mapping.mapping ?? null,
      ...(augmentation.encoding === undefined ? {} : { encoding: augmentation.encoding }),
      documents: documents.map(({ sha256 }) => sha256),
      teacher: teacher?.name ?? null,
      tokenizer: tokenizer.name,
      seed,
      ...rest,
    });
    const resumed = journal.outcomes.size;
    const share = dataset === null ? Number.POSITIVE_INFINITY : countAllowed(people.length, maxSyntheticShare);
    const proposal = await proposeRows({
      training: people,
      beside: training,
      keptAside: examples.filter((_, row) => sides[row] !== 'train'),
      documents,
      recipe: choice.recipe,
      thesaurus: given,
      limit: Math.max(0, Math.min(rows ?? Number.POSITIVE_INFINITY, share - (training.length - people.length))),
      similarity: choice.similarity,
      seed,
      teacher,
      journal,
      countTokens: tokenizer.countTokens,
      nameFile: file => relativePath(out, file),
      onProgress: augmentation.onProgress,
      signal,
    }).finally(() => journal.close());
    for (const problem of proposal.problems) augmentation.onProblem(problem);
    const { counts, kept, problems } = proposal;
    const trained = (augmentation.onlyNew ? 0 : training.length) + kept.length;
    const made = kept.length + (augmentation.onlyNew ? 0 : training.length - people.length);
    const result: AugmentationResult = {
      path: isPreview ? null : out,
      teacher: teacher?.name ?? null,
      rows: examples.length,
      brokenRows,
      counts,
      syntheticShare: trained === 0 ? 0 : made / trained,
      resumed,
      problems: problems.slice(0, keptProblems),
      shown: kept.slice(0, shownRows).map(({ example, method, file, line, before }) => ({
        method,
        file,
        line,
        before,
        question: questionOf(example),
        answer: answerOf(example),
      })),
    };
    if (isPreview) return result;
    if (kept.length === 0) throw nothingNew(out, counts, problems);
    const written = [...(augmentation.onlyNew ? [] : examples), ...kept.map(({ example }) => example)].map(toRow);
    const report: AugmentationReport = {
      schemaVersion: 1,
      dataset: dataset && {
        path: dataset.file,
        sha256: dataset.sha256,
        rows: examples.length,
        brokenRows,
        encoding: dataset.encoding,
      },
      mapping: dataset?.mapping.mapping ?? null,
      documents: documents.map(describeDocument),
      ...choice,
      teacher: result.teacher,
      tokenizer: tokenizer.name,
      counts,
      syntheticShare: result.syntheticShare,
      problems: result.problems,
      output: { path: out, sha256: writeRows(out, written), rows: written.length },
    };
    if (proposal.madeThesaurus !== undefined)
      writeStagedFile(`${out}.thesaurus.txt`, [Buffer.from(writeThesaurus(proposal.madeThesaurus))]);
    writeStagedFile(reportPath(out), [Buffer.from(`${JSON.stringify(report, null, 2)}\n`)]);
    journal.remove();
    return result;
  } finally {
    await teacher?.release();
  }
}

const describeDocument = ({ file, sha256, passages }: SourceDocument) => ({
  path: file,
  sha256,
  passages: passages.length,
});

async function readSource(path: string, { mapping, encoding, skipBrokenRows, signal }: Augmentation): Promise<Dataset> {
  const dataset = await readDataset(path, { mapping, encoding, signal });
  requireTrainable(dataset, { skipBrokenRows });
  return dataset;
}

/** Those that are given, joined; the teacher's come beside them. */
function readThesauri(methods: readonly AugmentationMethod[]): Thesaurus {
  const paths = methods.flatMap(method =>
    method.method === 'synonyms' && method.thesaurus !== '' ? [method.thesaurus] : [],
  );
  return new Map([...new Set(paths)].flatMap(path => [...readThesaurus(path)]));
}

function requireNew(out: string, { dataset, documents, isPreview }: Augmentation): void {
  for (const path of isPreview ? [out] : [out, reportPath(out)]) {
    if (!existsSync(path)) continue;
    const isSource = path === dataset || documents.includes(path);
    throw new TuneError('usage', `${path}: expected a new file, got ${isSource ? 'a source' : 'one that exists'}`, {
      file: path,
      hint: 'Sources are never changed: name another file, or delete this one.',
    });
  }
}

function requireSources({ dataset, documents, choice }: Augmentation): void {
  const { methods } = choice.recipe;
  const asksDocuments = methods.some(({ method }) => method === 'questions');
  if (asksDocuments && documents.length === 0) {
    throw new TuneError('usage', 'method questions: expected documents to ask about, got none', {
      hint: 'Name documents or a folder of them with --documents.',
    });
  }
  const rewrites = methods.find(({ method }) => method !== 'questions');
  if (rewrites !== undefined && dataset === null) {
    throw new TuneError('usage', `method ${rewrites.method}: expected a dataset whose rows it changes, got none`);
  }
}

/** A file of both running text and conversations could not be read again. */
function requireOneShape(examples: readonly Example[], methods: readonly AugmentationMethod[], out: string): void {
  const other = examples.find(({ kind }) => kind !== 'chat');
  if (other === undefined || !methods.some(({ method }) => method === 'questions')) return;
  throw new TuneError(
    'usage',
    `${out}: expected questions and answers beside conversations, got rows of ${other.kind}`,
    {
      hint: 'Write the new rows into a file of their own: --only-new.',
    },
  );
}

function lacksTeacher(methods: readonly AugmentationMethod[]): TuneError {
  return new TuneError('usage', `${methods.map(({ method }) => method).join(', ')}: expected a teacher, got none`, {
    hint: 'Name one with --teacher. Synonyms need none beside a thesaurus: synonyms:thesaurus=FILE',
  });
}

function nothingNew(out: string, counts: AugmentationCounts, problems: readonly AugmentationProblem[]): TuneError {
  const listed = Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [`${name} ${count}`] : []));
  return new TuneError('dataset-empty', `${out}: expected new rows, got none (${listed.join(', ')})`, {
    hint: problems[0]?.message ?? 'Raise the share of synthetic rows or the number of rows that are wanted.',
  });
}

/** As seen from the file that names it, so that both can move together. */
function relativePath(from: string, to: string): string {
  return relative(dirname(from), to).split(sep).join('/');
}
