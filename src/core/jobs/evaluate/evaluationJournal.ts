/**
 * @file What an evaluation has found out so far <-> answers.jsonl: a line is appended as soon as something is known, so that
 * a killed evaluation asks nothing twice. A line that a kill tore is passed over; of two of the same the first stands.
 */
import { existsSync, readFileSync } from 'node:fs';
import { type EvaluationLine, evaluationLineSchema, type LineOf } from '../../../shared/evaluationFiles.ts';
import { LineWriter } from '../../runs/lineWriter.ts';

/** Kinds that somebody computes, and pays for, row by row. */
type Kind = EvaluationLine['kind'];

export class EvaluationJournal {
  private readonly byKey = new Map<string, EvaluationLine>();
  private readonly writer: LineWriter;

  /** Opens what an earlier attempt left. */
  constructor(path: string) {
    this.writer = new LineWriter(path);
    if (!existsSync(path)) return;
    for (const text of readFileSync(path, 'utf8').split('\n')) {
      const line = parseLine(text);
      if (line !== undefined && !this.byKey.has(keyOf(line))) this.byKey.set(keyOf(line), line);
    }
  }

  /** False where it was known already. @throws TuneError `disk-full` | `not-writable` */
  add(line: EvaluationLine): boolean {
    const key = keyOf(line);
    if (this.byKey.has(key)) return false;
    this.writer.append(line);
    this.byKey.set(key, line);
    return true;
  }

  has(line: Identity): boolean {
    return this.byKey.has(keyOf(line));
  }

  list<K extends Kind>(kind: K): LineOf<K>[] {
    return [...this.byKey.values()].filter((line): line is LineOf<K> => line.kind === kind);
  }

  all(): EvaluationLine[] {
    return [...this.byKey.values()];
  }

  /** Lines of one candidate by row. */
  rowsOf<K extends 'answer' | 'loss' | 'timing' | 'relevance'>(kind: K, candidate: string): Map<number, LineOf<K>> {
    const own = this.list(kind).filter(line => 'candidate' in line && line.candidate === candidate);
    return new Map(own.map(line => [(line as { row: number }).row, line]));
  }

  close(): void {
    this.writer.sync();
    this.writer.close();
  }
}

/** What makes a line the same as another. */
export type Identity =
  | Pick<LineOf<'row'>, 'kind' | 'row'>
  | Pick<LineOf<'answer' | 'loss' | 'timing' | 'relevance'>, 'kind' | 'row' | 'candidate'>
  | Pick<LineOf<'verdict'>, 'kind' | 'row' | 'candidate' | 'opponent' | 'order'>
  | Pick<LineOf<'prompt'>, 'kind' | 'candidate'>;

function keyOf(line: Identity): string {
  switch (line.kind) {
    case 'row':
      return `row ${line.row}`;
    case 'prompt':
      return `prompt ${line.candidate}`;
    case 'verdict':
      return `verdict ${line.row} ${line.candidate} ${line.opponent} ${line.order}`;
    default:
      return `${line.kind} ${line.row} ${line.candidate}`;
  }
}

function parseLine(text: string): EvaluationLine | undefined {
  if (text.trim() === '') return undefined;
  try {
    const parsed = evaluationLineSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
