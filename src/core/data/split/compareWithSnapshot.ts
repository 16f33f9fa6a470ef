/** @file A dataset file as it is now and the snapshot a run was trained on -> the rows that differ. */
import { createHash } from 'node:crypto';
import type { RowDifference } from '../../../shared/datasetProtocol.ts';
import { TuneError } from '../../../shared/errors.ts';
import type { Example, Message } from '../example.ts';
import { contentKey, questionKey } from '../normalizeQuestion.ts';
import type { ReadOptions } from '../read/readBytes.ts';
import { type Dataset, readDataset } from '../readDataset.ts';
import type { DatasetSnapshot } from './readDatasetSnapshot.ts';

export interface SnapshotComparison {
  /** True when not one byte of the file changed. */
  readonly sameBytes: boolean;
  /** The first differences by line; moved rows are none. */
  readonly differences: RowDifference[];
  readonly differenceCount: number;
}

export interface CompareOptions extends ReadOptions {
  /** Differences listed in full; all are counted. Default 200. */
  readonly limit?: number | undefined;
}

/** Compares by content, so that moving rows about changes nothing. @throws as readDataset, but an emptied file is all removed */
export async function compareWithSnapshot(
  file: string,
  snapshot: Pick<DatasetSnapshot, 'examples' | 'report'>,
  { limit = 200, ...options }: CompareOptions = {},
): Promise<SnapshotComparison> {
  const now = await readNow(file, snapshot, options);
  if (now.sha256 === snapshot.report.sha256) return { sameBytes: true, differences: [], differenceCount: 0 };
  const { gone, fresh } = subtractEqual(snapshot.examples, now.examples);
  const differences = pairUp(gone, fresh).sort((a, b) => a.line - b.line);
  return { sameBytes: false, differences: differences.slice(0, limit), differenceCount: differences.length };
}

async function readNow(
  file: string,
  { report }: Pick<DatasetSnapshot, 'report'>,
  options: ReadOptions,
): Promise<Pick<Dataset, 'sha256' | 'examples'>> {
  try {
    return await readDataset(file, { ...options, mapping: report.mapping });
  } catch (error) {
    if (!(error instanceof TuneError) || error.code !== 'dataset-empty') throw error;
    return { sha256: createHash('sha256').digest('hex'), examples: [] };
  }
}

/** What is left on each side when equal rows are taken away one for one. */
function subtractEqual(before: readonly Example[], after: readonly Example[]): { gone: Example[]; fresh: Example[] } {
  const left = new Map<string, Example[]>();
  for (const example of before) {
    const key = contentKey(example);
    const same = left.get(key);
    if (same === undefined) left.set(key, [example]);
    else same.push(example);
  }
  const fresh = after.filter(example => left.get(contentKey(example))?.shift() === undefined);
  return { gone: [...left.values()].flat(), fresh };
}

/** A row that went and one that came are one change when they ask the same or stand on the same line. */
function pairUp(gone: readonly Example[], fresh: readonly Example[]): RowDifference[] {
  const unpaired = new Set(gone);
  const partners = new Map<Example, Example>();
  for (const keyOf of [questionKey, (example: Example) => String(example.origin.line)]) {
    const byKey = new Map<string, Example[]>();
    for (const example of unpaired) byKey.set(keyOf(example), [...(byKey.get(keyOf(example)) ?? []), example]);
    for (const example of fresh) {
      if (partners.has(example)) continue;
      const partner = byKey.get(keyOf(example))?.shift();
      if (partner === undefined) continue;
      partners.set(example, partner);
      unpaired.delete(partner);
    }
  }
  const came = fresh.map((example): RowDifference => {
    const partner = partners.get(example);
    const change = partner === undefined ? 'added' : 'changed';
    const before = partner === undefined ? null : showExample(partner);
    return { change, line: example.origin.line, before, after: showExample(example) };
  });
  const went = [...unpaired].map(
    (example): RowDifference => ({
      change: 'removed',
      line: example.origin.line,
      before: showExample(example),
      after: null,
    }),
  );
  return [...came, ...went];
}

function showExample(example: Example): string {
  if (example.kind === 'text') return example.text;
  const show = (messages: readonly Message[]) => messages.map(({ role, content }) => `${role}: ${content}`).join('\n');
  if (example.kind === 'chat') return show(example.messages);
  return `${show(example.prompt)}\nchosen: ${show(example.chosen)}\nrejected: ${show(example.rejected)}`;
}
