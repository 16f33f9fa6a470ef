/** `tuning-fork review`: rows accepted, edited or rejected by people, kept beside the dataset in a file that git merges. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { answerOf, questionOf } from '../../core/data/check/exampleTexts.ts';
import type { Example } from '../../core/data/example.ts';
import { parseMapping } from '../../core/data/mapping/mapping.ts';
import { readDataset } from '../../core/data/readDataset.ts';
import { addDecisions, readReview, reviewPath } from '../../core/data/review/reviewFile.ts';
import { ReviewStates, rowKey } from '../../core/data/review/reviewRows.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { TuneError } from '../../shared/errors.ts';
import {
  type ReviewDecision,
  reviewDecisions,
  reviewedRowSchema,
  reviewLineSchema,
  reviewStates,
} from '../../shared/review.ts';
import { type Command, type CommandArguments, usageError } from '../command.ts';
import { interruptible } from '../interruptible.ts';
import type { Output } from '../output.ts';
import { encodingOption, readEncoding } from '../runOptions.ts';

const defaultShown = 50;
const shownCharacters = 120;

export const review: Command = {
  name: 'review',
  summary: 'Accept, edit or reject rows, with reviewer and note, in a file beside the dataset that git merges.',
  usage: 'list|stats <dataset> | set <dataset> (--line N|--key K) --decision accept|edit|reject',
  options: [
    { name: 'state', value: 'STATE', help: `With list: only rows in this state (${reviewStates.join(', ')}).` },
    { name: 'limit', value: 'N', help: `With list: most rows shown, default ${defaultShown}; 0 = all.` },
    {
      name: 'line',
      value: 'N',
      isRepeatable: true,
      help: 'With set: the row that starts on this line; may be repeated.',
    },
    { name: 'key', value: 'K', isRepeatable: true, help: 'With set: the row with this key, as list shows it.' },
    { name: 'decision', value: 'D', help: 'With set: accept, edit or reject.' },
    { name: 'reviewer', value: 'NAME', help: 'With set: who decides, default your user name.' },
    { name: 'note', value: 'TEXT', help: 'With set: why.' },
    {
      name: 'edited',
      value: 'JSON|@FILE',
      help: 'With --decision edit: the row as it is to be, as {"messages": [...]}, {"text": ...} or a preference.',
    },
    { name: 'mapping', value: 'KIND[:slot=field,...]', help: 'How fields become conversations; default detected.' },
    encodingOption,
  ],
  maxPositionals: 2,
  details:
    'Decisions stand in <dataset>.review.jsonl, one a line, named by the content of the row, so that they follow it wherever it\nmoves. Of several on a row the latest counts; all are kept. train takes rejected rows out and edited ones as edited;\n--set reviewedRows=accepted trains on accepted and edited rows alone.',
  run: (args, output) => interruptible(output, signal => run(args, output, signal)),
};

async function run(args: CommandArguments, output: Output, signal: AbortSignal): Promise<number> {
  const action = args.positional(0, 'list|set|stats');
  if (!['list', 'set', 'stats'].includes(action)) {
    throw usageError(review, `expected list, set or stats, got "${action}"`);
  }
  const path = resolve(args.positional(1, 'dataset'));
  const file = reviewPath(path);
  const mapping = args.one('mapping') === undefined ? null : parseMapping(args.one('mapping')!);
  const { examples } = await readDataset(path, { mapping, encoding: readEncoding(args), signal });
  const rows = examples.map(example => ({ example, key: rowKey(example) }));
  if (action === 'set') decide(rows, file, args, output);
  const reviewed = new ReviewStates(readReview(file));
  if (action === 'list') list(rows, reviewed, args, output);
  const counts = reviewed.count(rows.map(({ key }) => key));
  const { accepted, edited, rejected, pending, orphaned } = counts;
  output.print(
    `${counts.rows} rows: ${accepted} accepted, ${edited} edited, ${rejected} rejected, ${pending} pending; ${orphaned} decisions on rows that are gone`,
  );
  output.line({ type: 'result', file, ...counts });
  return exitCodes.done;
}

type Row = { readonly example: Example; readonly key: string };

function list(rows: readonly Row[], reviewed: ReviewStates, args: CommandArguments, output: Output): void {
  const wanted = args.one('state');
  if (wanted !== undefined && !(reviewStates as readonly string[]).includes(wanted)) {
    throw usageError(review, `--state: expected ${reviewStates.join(', ')}, got "${wanted}"`);
  }
  const limit = args.integer('limit', 0, Number.MAX_SAFE_INTEGER) ?? defaultShown;
  let shown = 0;
  for (const { example, key } of rows) {
    const { decision, line } = reviewed.find(key);
    const state = decision ?? 'pending';
    if (wanted !== undefined && state !== wanted) continue;
    if (limit > 0 && shown++ >= limit) break;
    const by = line === undefined ? {} : { reviewer: line.reviewer, at: line.at, note: line.note ?? null };
    output.line({ type: 'reviewed', key, line: example.origin.line, file: example.origin.file, state, ...by });
    const said = line === undefined ? '' : ` (${line.reviewer}${line.note === undefined ? '' : `: ${line.note}`})`;
    output.print(`${key} line ${example.origin.line} ${state}${said} ${shorten(example)}`);
  }
}

function decide(rows: readonly Row[], file: string, args: CommandArguments, output: Output): void {
  const decision = args.required('decision') as ReviewDecision;
  if (!reviewDecisions.includes(decision)) {
    throw usageError(review, `--decision: expected ${reviewDecisions.join(', ')}, got "${decision}"`);
  }
  const keys = chooseKeys(rows, args);
  const at = new Date().toISOString();
  const base = { at, decision, reviewer: args.one('reviewer') ?? userInfo().username };
  const note = args.one('note');
  const edited = readEdited(args, decision);
  const lines = keys.map(row =>
    reviewLineSchema.parse({
      row,
      ...base,
      ...(note === undefined ? {} : { note }),
      ...(edited === undefined ? {} : { edited }),
    }),
  );
  addDecisions(file, lines);
  output.print(`${lines.length} rows: ${decision} (${file})`);
}

function chooseKeys(rows: readonly Row[], args: CommandArguments): string[] {
  const known = new Set(rows.map(({ key }) => key));
  const named = args.many('key');
  const unknown = named.find(key => !known.has(key));
  if (unknown !== undefined) throw usageError(review, `--key: expected a row of the dataset, got "${unknown}"`);
  const byLine = args.many('line').flatMap(text => {
    const found = rows.filter(({ example }) => String(example.origin.line) === text);
    if (found.length === 0) throw usageError(review, `--line: expected the first line of a row, got "${text}"`);
    return found.map(({ key }) => key);
  });
  const keys = [...new Set([...named, ...byLine])];
  if (keys.length === 0) throw usageError(review, 'expected --line or --key, got neither');
  return keys;
}

function readEdited(args: CommandArguments, decision: ReviewDecision): unknown {
  const text = args.one('edited');
  if ((text !== undefined) !== (decision === 'edit')) {
    throw usageError(review, '--edited: expected it with --decision edit and only there');
  }
  if (text === undefined) return undefined;
  const json = text.startsWith('@') ? readFileSync(resolve(text.slice(1)), 'utf8') : text;
  try {
    return reviewedRowSchema.parse(JSON.parse(json));
  } catch (cause) {
    throw new TuneError('usage', '--edited: expected a row as {"messages": [...]}, {"text": ...} or a preference', {
      cause,
    });
  }
}

function shorten(example: Example): string {
  const text = `${questionOf(example)} ${answerOf(example)}`.replace(/\s+/g, ' ').trim();
  return text.length <= shownCharacters ? text : `${text.slice(0, shownCharacters)}…`;
}
