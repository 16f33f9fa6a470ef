/**
 * @file A teacher's outcomes as they come -> lines beside the file that is being made, so that nothing that was answered is
 * asked again after a kill. The first line says what is being made; a line that a kill tore is passed over.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { TuneError } from '../../../shared/errors.ts';
import { LineWriter } from '../../runs/lineWriter.ts';
import type { TeacherOutcome } from '../../teachers/teacher.ts';

/** All on which the answers depend, by name; `kind` says what is being made. */
export type JournalHead = Readonly<{ kind: string } & Record<string, unknown>>;

const outcomeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ row: z.number().int(), kind: z.literal('answer'), text: z.string() }),
  z.strictObject({ row: z.number().int(), kind: z.literal('cut'), text: z.string() }),
  z.strictObject({ row: z.number().int(), kind: z.literal('refused'), reason: z.string() }),
]);

export class AnswerJournal {
  /** By row. */
  readonly outcomes = new Map<number, TeacherOutcome>();
  private readonly path: string;
  private readonly writer: LineWriter;

  /** Opens what an earlier attempt left at `path`, or begins. @throws TuneError `usage` when that made something else */
  constructor(path: string, head: JournalHead) {
    this.path = path;
    this.writer = new LineWriter(path);
    if (existsSync(path)) this.readEarlier(head);
    else this.writer.append(head);
  }

  add(row: number, outcome: TeacherOutcome): void {
    if (this.outcomes.has(row)) return;
    this.writer.append({ row, ...outcome });
    this.outcomes.set(row, outcome);
  }

  close(): void {
    this.writer.sync();
    this.writer.close();
  }

  /** The file that was to be made stands. */
  remove(): void {
    this.writer.close();
    rmSync(this.path, { force: true });
  }

  private readEarlier(head: JournalHead): void {
    const [first = '', ...lines] = readFileSync(this.path, 'utf8').split('\n');
    const differing = findDifference(parseLine(first), head);
    if (differing !== undefined) {
      throw new TuneError(
        'usage',
        `${this.path}: expected answers of the same ${head.kind}, got another ${differing}`,
        {
          file: this.path,
          hint: 'Go on with the same dataset, teacher and settings, delete that file to begin anew, or name another output.',
        },
      );
    }
    for (const line of lines) {
      const parsed = outcomeSchema.safeParse(parseLine(line));
      if (!parsed.success) continue;
      const { row, ...outcome } = parsed.data;
      this.outcomes.set(row, outcome);
    }
  }
}

function findDifference(found: unknown, wanted: JournalHead): string | undefined {
  if (typeof found !== 'object' || found === null) return 'kind';
  const held = new Map(Object.entries(found));
  // What stands on disk went through JSON: what is wanted is compared as it would.
  return Object.keys(wanted).find(name => JSON.stringify(held.get(name)) !== JSON.stringify(wanted[name]));
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
