/** @file answers.jsonl of an evaluation as it grows -> the rows that a filter leaves, a page at a time, and one row opened. */
import { type EvaluationLine, evaluationLineSchema } from '../../shared/evaluationFiles.ts';
import type { EvaluationRows, ListedRow, OpenedRow, RowFilter } from '../../shared/evaluationView.ts';
import { tokenF1 } from '../../shared/tokenF1.ts';

/** Rows of one page. */
export const pageRows = 25;
const shownCharacters = 300;

interface KnownRow {
  readonly row: number;
  readonly line: number;
  readonly question: string;
  readonly reference: string;
  readonly answers: Map<string, OpenedRow['answers'][number]>;
  readonly scores: Record<string, number>;
}

export class EvaluationBook {
  private readonly rows = new Map<number, KnownRow>();

  /** Takes lines as they were appended; what cannot be read is passed over. */
  add(lines: readonly string[]): void {
    for (const text of lines) {
      const line = parseLine(text);
      if (line?.kind === 'row' && line.question !== null)
        this.addRow(line.row, line.line, line.question, line.reference);
      else if (line?.kind === 'answer') this.addAnswer(line);
    }
  }

  clear(): void {
    this.rows.clear();
  }

  list(filter: RowFilter, opened: number | null): EvaluationRows {
    const matching = [...this.rows.values()].filter(row => matches(row, filter)).sort((a, b) => compare(a, b, filter));
    const offset = Math.min(filter.offset, Math.max(0, Math.floor((matching.length - 1) / pageRows) * pageRows));
    return {
      filter: { ...filter, offset },
      rows: matching.slice(offset, offset + pageRows).map(toListed),
      total: matching.length,
      opened: opened === null ? null : this.open(opened),
    };
  }

  private open(row: number): OpenedRow | null {
    const known = this.rows.get(row);
    if (known === undefined) return null;
    const { line, question, reference, answers } = known;
    return { row, line, question, reference, answers: [...answers.values()] };
  }

  private addRow(row: number, line: number, question: string, reference: string): void {
    if (this.rows.has(row)) return;
    this.rows.set(row, { row, line, question, reference, answers: new Map(), scores: {} });
  }

  private addAnswer({ row, candidate, text, end }: Extract<EvaluationLine, { kind: 'answer' }>): void {
    const known = this.rows.get(row);
    if (known === undefined || known.answers.has(candidate)) return;
    known.answers.set(candidate, { candidate, text, end });
    known.scores[candidate] = tokenF1(text, known.reference);
  }
}

/** Of a row that both have answered: above 0 where the candidate is nearer to the reference. */
function leadOf({ scores }: KnownRow, { candidate, opponent }: RowFilter): number | undefined {
  const [own, other] = [scores[candidate], scores[opponent]];
  return own === undefined || other === undefined ? undefined : own - other;
}

function matches(row: KnownRow, filter: RowFilter): boolean {
  if (filter.choice === 'all') return true;
  const lead = leadOf(row, filter);
  if (lead === undefined) return false;
  if (filter.choice === 'same') return lead === 0;
  return filter.choice === 'better' ? lead > 0 : lead < 0;
}

/** The largest difference first; all rows in the order of the file. */
function compare(a: KnownRow, b: KnownRow, filter: RowFilter): number {
  const gap = filter.choice === 'all' ? 0 : Math.abs(leadOf(b, filter) ?? 0) - Math.abs(leadOf(a, filter) ?? 0);
  return gap || a.row - b.row;
}

function toListed({ row, line, question, scores }: KnownRow): ListedRow {
  return { row, line, question: question.slice(0, shownCharacters), scores: { ...scores } };
}

function parseLine(text: string): EvaluationLine | undefined {
  try {
    const parsed = evaluationLineSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined; // torn or foreign line
  }
}
