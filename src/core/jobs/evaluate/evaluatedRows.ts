/** @file An evaluation's request -> the rows that are judged, the training rows that examples may come from, and how losses are measured. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TextEncoding } from '../../../shared/datasetFormats.ts';
import { TuneError } from '../../../shared/errors.ts';
import type { EvaluatedRows, EvaluationRequest, TaskName } from '../../../shared/evaluation.ts';
import { defaultHyperparameters, type Hyperparameters } from '../../../shared/hyperparameters.ts';
import type { RunRecord } from '../../../shared/recipe.ts';
import { runNames } from '../../../shared/runFolder.ts';
import { findTaskMapping } from '../../../shared/taskPresets.ts';
import { type Example, messagesOf } from '../../data/example.ts';
import { normalizeText } from '../../data/normalizeQuestion.ts';
import { type Dataset, openDataset, readDataset } from '../../data/readDataset.ts';
import { requireTrainable } from '../../data/requireTrainable.ts';
import { type AnsweredQuestion, lastQuestion, toAnsweredQuestion } from '../../infer/answeredQuestion.ts';
import { permute } from '../../text/seededOrder.ts';
import { listQuestions, readRunData } from '../prepare/runQuestions.ts';

export type LossShape = Pick<Hyperparameters, 'contextTokens' | 'batchRows' | 'packing' | 'trainOn' | 'seed'>;

export interface EvaluatedData {
  readonly examples: readonly Example[];
  /** By row; undefined where nothing is asked, as in running text. */
  readonly questions: readonly (AnsweredQuestion | undefined)[];
  /** None of them asks what a judged row asks. */
  readonly training: readonly AnsweredQuestion[];
  readonly lossShape: LossShape;
  /** With the encoding where somebody named it. */
  readonly datasets: { path: string; sha256: string; encoding?: TextEncoding | undefined }[];
  /** The run whose rows these are, if they are a run's. */
  readonly record: RunRecord | undefined;
}

const samplePurpose = 31;

/** @throws TuneError `dataset-empty` when there is nothing to judge, and as readers do; AbortError when cancelled */
export async function readEvaluatedData(
  { rows, candidates, maxRows, contextTokens, seed }: EvaluationRequest,
  signal: AbortSignal,
): Promise<EvaluatedData> {
  const adapters = candidates.flatMap(candidate => (candidate.kind === 'adapter' ? candidate.paths : []));
  const source = rows.kind === 'run' ? rows.run : adapters.find(isPreparedRun);
  const data = source === undefined ? undefined : await readRunData(source);
  const own = rows.kind === 'run' ? data!.examples[rows.split] : undefined;
  const file = rows.kind === 'file' ? await readFile(rows, signal) : undefined;
  const all = own ?? file!.examples;
  if (all.length === 0) throw nothingToJudge(rows);
  const examples = takeSample(all, maxRows, seed);
  const questions = examples.map(toAnsweredQuestion);
  const asked = new Set(all.flatMap(example => keyOf(toAnsweredQuestion(example)) ?? []));
  const training = listQuestions(data?.examples.train ?? []).filter(question => !asked.has(keyOf(question)!));
  const settings = data?.record.hyperparameters ?? defaultHyperparameters;
  return {
    examples,
    questions,
    training,
    lossShape: { ...settings, contextTokens: contextTokens ?? settings.contextTokens },
    datasets:
      file === undefined
        ? data!.record.datasets.map(({ path, sha256, encoding }) => ({ path, sha256, ...(encoding && { encoding }) }))
        : [{ path: file.file, sha256: file.sha256, ...readAs(rows) }],
    record: rows.kind === 'run' ? data!.record : undefined,
  };
}

/** What an answer is held against. */
export function referenceOf(example: Example): string {
  return example.kind === 'text'
    ? example.text
    : (messagesOf(example).findLast(m => m.role === 'assistant')?.content ?? '');
}

export const isPreparedRun = (path: string): boolean => existsSync(join(path, runNames.run));

const keyOf = (question: AnsweredQuestion | undefined): string | undefined =>
  question && normalizeText(lastQuestion(question));

/** At most so many, drawn by the seed and left in the order of the file. */
function takeSample(examples: readonly Example[], maxRows: number | null, seed: number): readonly Example[] {
  if (maxRows === null || maxRows >= examples.length) return examples;
  const chosen = permute(examples.length, seed, samplePurpose).subarray(0, maxRows).sort();
  return Array.from(chosen, index => examples[index]!);
}

function readAs(rows: EvaluatedRows): { encoding?: TextEncoding } {
  return rows.kind === 'file' && rows.encoding !== null ? { encoding: rows.encoding } : {};
}

async function readFile(
  { path, mapping: given, encoding, task }: Extract<EvaluatedRows, { kind: 'file' }>,
  signal: AbortSignal,
): Promise<Dataset> {
  const mapping = given ?? (task === null ? null : await findMapping(path, encoding, task));
  const dataset = await readDataset(path, { mapping, encoding: encoding ?? undefined, signal });
  requireTrainable(dataset);
  return dataset;
}

/** The task's, where the dataset has its fields. */
async function findMapping(path: string, encoding: TextEncoding | null, task: TaskName) {
  const { fields, rows } = await openDataset(path, { encoding: encoding ?? undefined });
  await rows.return();
  return findTaskMapping(task, fields) ?? null;
}

function nothingToJudge(rows: EvaluationRequest['rows']): TuneError {
  const [where, side] = rows.kind === 'run' ? [rows.run, rows.split] : [rows.path, 'it'];
  return new TuneError('dataset-empty', `${where}: expected rows in ${side}, got none`, {
    file: where,
    hint: 'Nothing was held out: see evalRatio and testRatio of the run, or name a dataset.',
  });
}
