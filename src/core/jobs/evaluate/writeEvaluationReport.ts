/** @file An evaluation's result and answers -> report.md and report.html, each whole by itself. */
import { join } from 'node:path';
import type { EvaluationLine, LineOf } from '../../../shared/evaluationFiles.ts';
import { evaluationNames } from '../../../shared/evaluationFiles.ts';
import { tokenF1 } from '../../../shared/tokenF1.ts';
import { diffWords } from '../../../shared/wordDifferences.ts';
import { writeStagedFile } from '../../formats/stagedFile.ts';
import { describeEvaluation, type ReportInput, type ReportTable } from './reportText.ts';

/** Rows whose answers the HTML report shows. */
const shownRows = 200;

export interface ReportPaths {
  readonly report: string;
  readonly html: string;
}

/** @throws TuneError `disk-full` | `not-writable` */
export function writeEvaluationReport(
  folder: string,
  input: Omit<ReportInput, 'prompts' | 'refusals'>,
  lines: readonly EvaluationLine[],
): ReportPaths {
  const whole = {
    ...input,
    prompts: lines.filter(line => line.kind === 'prompt'),
    refusals: countRefusals(input, lines),
  };
  const paths = { report: join(folder, evaluationNames.markdown), html: join(folder, evaluationNames.html) };
  const write = (path: string, text: string) => writeStagedFile(path, [new TextEncoder().encode(text)]);
  write(paths.report, writeMarkdown(whole));
  write(paths.html, writeHtml(whole, lines));
  return paths;
}

function countRefusals(
  { result }: Pick<ReportInput, 'result'>,
  lines: readonly EvaluationLine[],
): ReportInput['refusals'] {
  return result.candidates.flatMap(({ id, label }) => {
    const refused = lines.filter(line => line.kind === 'answer' && line.candidate === id && line.end === 'refused');
    const [first] = refused as LineOf<'answer'>[];
    return first === undefined ? [] : [{ label, count: refused.length, reason: first.reason ?? 'no reason given' }];
  });
}

export function writeMarkdown(input: ReportInput): string {
  const parts = describeEvaluation(input).flatMap(({ title, paragraphs, table }) => [
    ...(title === '' ? [] : [`## ${escapeMarkdown(title)}`]),
    ...paragraphs.map(escapeMarkdown),
    ...(table === undefined ? [] : [markdownTable(table)]),
  ]);
  return `# ${escapeMarkdown(input.name)}\n\n${parts.join('\n\n')}\n`;
}

function markdownTable({ head, rows }: ReportTable): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map(cell => escapeMarkdown(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => ' --- |').join('')}`, ...rows.map(line)].join('\n');
}

const escapeMarkdown = (text: string): string =>
  text.replace(/[\r\n]+/g, ' ').replace(/[\\`*_[\]<>#]/g, character => `\\${character}`);

function writeHtml(input: ReportInput, lines: readonly EvaluationLine[]): string {
  const sections = describeEvaluation(input).map(
    ({ title, paragraphs, table }) =>
      `<section>${title === '' ? '' : `<h2>${escapeHtml(title)}</h2>`}${table === undefined ? '' : htmlTable(table)}${paragraphs
        .map(text => `<p>${escapeHtml(text)}</p>`)
        .join('')}</section>`,
  );
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(input.name)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(input.name)}</h1>
${sections.join('\n')}
${htmlAnswers(input, lines)}
</body>
</html>
`;
}

function htmlTable({ head, rows }: ReportTable): string {
  const cells = (tag: 'th' | 'td', row: readonly string[]) =>
    row.map(cell => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('');
  return `<div class="wide"><table><thead><tr>${cells('th', head)}</tr></thead><tbody>${rows
    .map(row => `<tr>${cells('td', row)}</tr>`)
    .join('')}</tbody></table></div>`;
}

/** Answers against their references, the words that differ marked; the worst answers of the last candidate first. */
function htmlAnswers({ result }: ReportInput, lines: readonly EvaluationLine[]): string {
  const answers = new Map<string, string>();
  for (const line of lines) if (line.kind === 'answer') answers.set(`${line.candidate} ${line.row}`, line.text);
  const last = result.candidates.at(-1)!.id;
  const rows = lines
    .filter(line => line.kind === 'row')
    .filter(({ question }) => question !== null)
    .map(row => ({ ...row, score: tokenF1(answers.get(`${last} ${row.row}`) ?? '', row.reference) }))
    .sort((a, b) => a.score - b.score || a.row - b.row);
  if (rows.length === 0 || answers.size === 0) return '';
  const shown = rows.slice(0, shownRows).map(({ question, reference, line, row }) => {
    const compared = result.candidates.map(
      ({ id, label }) =>
        `<dt>${escapeHtml(label)}</dt><dd>${htmlDifferences(reference, answers.get(`${id} ${row}`) ?? '')}</dd>`,
    );
    return `<details><summary>Line ${line}: ${escapeHtml((question ?? '').slice(0, 200))}</summary><dl><dt>Reference</dt><dd>${escapeHtml(reference)}</dd>${compared.join('')}</dl></details>`;
  });
  const cut =
    rows.length > shownRows ? ` The first ${shownRows} of ${rows.length}; all are in ${evaluationNames.answers}.` : '';
  return `<section><h2>Answers</h2><p>Those that overlap least with their references first, by the last candidate. Struck words are missing from the answer, underlined ones are not in the reference.${cut}</p>${shown.join('\n')}</section>`;
}

function htmlDifferences(reference: string, answer: string): string {
  const tags = { same: ['', ''], removed: ['<del>', '</del>'], added: ['<ins>', '</ins>'] } as const;
  return diffWords(reference, answer)
    .map(({ kind, text }) => `${tags[kind][0]}${escapeHtml(text)}${tags[kind][1]}`)
    .join('');
}

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);

const style = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .7rem; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); vertical-align: top; }
.wide { overflow-x: auto; }
summary { cursor: pointer; padding: .2rem 0; }
dd { margin: 0 0 .7rem; white-space: pre-wrap; overflow-wrap: anywhere; }
dt { font-weight: 600; }
ins { text-decoration: underline; background: color-mix(in srgb, #2a9d5c 22%, transparent); }
del { background: color-mix(in srgb, #d1495b 22%, transparent); }
`;
