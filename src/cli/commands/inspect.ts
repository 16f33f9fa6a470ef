/** `tuning-fork inspect`: how a file is read, what is wrong with it, and how a row looks to the model. */
import { resolve } from 'node:path';
import { checkExamples } from '../../core/data/check/checkExamples.ts';
import { parseMapping } from '../../core/data/mapping/mapping.ts';
import { type Dataset, readDataset } from '../../core/data/readDataset.ts';
import { countTokens, describeRow } from '../../core/jobs/prepare/countTokens.ts';
import { describeDataset } from '../../core/jobs/prepare/describeDataset.ts';
import { type ModelText, openModelText } from '../../core/jobs/prepare/openModelText.ts';
import { measureModel } from '../../core/models/measureModel.ts';
import { openModel } from '../../core/models/openModel.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import type { CheckReport } from '../../shared/datasetChecks.ts';
import type { DatasetInspection, ModelSize, RowTokens } from '../../shared/datasetProtocol.ts';
import { defaultHyperparameters } from '../../shared/hyperparameters.ts';
import { suggestForInspection } from '../../shared/suggestSettings.ts';
import type { Command, CommandArguments } from '../command.ts';
import type { Output } from '../output.ts';
import { findTinyModel } from '../places.ts';
import { encodingOption, readEncoding, resolveModel } from '../runOptions.ts';

const signal = new AbortController().signal;
const shownFindings = 5;

export const inspect: Command = {
  name: 'inspect',
  summary:
    'Show how a dataset is read: format, mapping, counts, problems by line, tokens, and one row as the model sees it.',
  usage: '<dataset> [--model M] [--row N] [--check]',
  options: [
    { name: 'model', value: 'M', help: 'Count tokens as this model does: tiny, a folder, a .gguf file or a Hub id.' },
    {
      name: 'row',
      value: 'N',
      help: 'Show the tokens of row N (from 0) and which of them are learned; needs --model.',
    },
    { name: 'mapping', value: 'KIND[:slot=field,...]', help: 'How fields become conversations; default detected.' },
    encodingOption,
    {
      name: 'check',
      help: 'Look at every row: duplicates, conflicts, HTML, wrong encodings, personal data, languages ...',
    },
    { name: 'held-out', value: 'DATASET', help: 'With --check: rows that must not be trained on.' },
    { name: 'context', value: 'N', help: `Context in tokens, default ${defaultHyperparameters.contextTokens}.` },
  ],
  maxPositionals: 1,
  run: async (args, output) => {
    const path = resolve(args.positional(0, 'dataset'));
    const contextTokens = args.integer('context', 8, 131072) ?? defaultHyperparameters.contextTokens;
    const row = args.integer('row', 0, Number.MAX_SAFE_INTEGER);
    const mappingText = args.one('mapping');
    const model = await readModelText(args, row);
    const text = model?.text;
    const mapping = mappingText === undefined ? null : parseMapping(mappingText);
    const onProgress = (done: number, total: number) => output.progress(`reading ${done}/${total}`);
    const dataset = await readDataset(path, { mapping, encoding: readEncoding(args), onProgress });
    const tokens = text === undefined ? null : await countTokens(dataset.examples, text, contextTokens, signal);
    const inspection = describeDataset(dataset, { tokens, model: model?.size ?? null });
    show(inspection, output);
    const checks = args.has('check') ? await checkAll(dataset, args, output) : null;
    const shown =
      text === undefined || row === undefined ? undefined : describeRow(dataset.examples, row, text, contextTokens);
    if (shown !== undefined) output.print(describeTokens(shown));
    output.line({
      type: 'result',
      ...inspection,
      ...(checks === null ? {} : { checks }),
      ...(shown === undefined ? {} : { row: shown }),
    });
    return exitCodes.done;
  },
};

async function checkAll({ examples }: Dataset, args: CommandArguments, output: Output): Promise<CheckReport> {
  const heldOut = args.one('held-out');
  const report = await checkExamples(examples, {
    heldOut: heldOut === undefined ? [] : (await readDataset(resolve(heldOut))).examples,
    onProgress: (done, total) => output.progress(`checking ${done}/${total}`),
  });
  for (const { check, count, step, findings } of report.checks) {
    const fix = `Step ${step} of tuning-fork clean mends it.`;
    for (const { file, line, message } of findings)
      output.line({ type: 'problem', file, line, code: check, message, fix });
    output.print(`${check}: ${count} rows (${step})`);
    for (const { message } of findings.slice(0, shownFindings)) output.print(`  ${message}`);
  }
  output.print(report.checks.length === 0 ? 'Nothing was found in the rows.' : 'Mend with: tuning-fork clean');
  return report;
}

async function readModelText(
  args: CommandArguments,
  row: number | undefined,
): Promise<{ text: ModelText; size: ModelSize } | undefined> {
  const model = row === undefined ? args.one('model') : args.required('model');
  if (model === undefined) return undefined;
  const opened = await openModel(resolveModel(model), { tinyFolder: findTinyModel() });
  try {
    return { text: openModelText(opened), size: measureModel(opened.config) };
  } finally {
    opened.close();
  }
}

function show(inspection: DatasetInspection, output: Output): void {
  const {
    path,
    format,
    encoding,
    fileBytes,
    mapping,
    mappingReason,
    rows,
    usableRows,
    problemCount,
    problems,
    tokens,
  } = inspection;
  for (const problem of problems) output.line({ type: 'problem', ...problem });
  const fields = Object.entries(mapping.fields).map(([slot, field]) => `${slot} = ${field}`);
  const files = inspection.fileCount === 1 ? '' : `${inspection.fileCount} files, `;
  output.print(`${path}: ${files}${format}, ${encoding}, ${fileBytes} bytes`);
  output.print(`${mapping.kind} (${fields.join(', ')}): ${mappingReason}`);
  output.print(`${rows} rows, ${usableRows} usable, ${problemCount} problems`);
  for (const { message, fix } of problems) output.print(`  ${message} ${fix}`);
  if (problemCount > problems.length) output.print(`  ... and ${problemCount - problems.length} more`);
  if (tokens === null) return;
  const { total, supervised, longestRow, rowsOverContext } = tokens;
  output.print(
    `${total} tokens, ${supervised} supervised; longest row ${longestRow}; ${rowsOverContext} rows over the context`,
  );
  const suggested = Object.entries(suggestForInspection(inspection, defaultHyperparameters)?.values ?? {});
  output.print(`suggested for this model: ${suggested.map(([name, value]) => `--set ${name}=${value}`).join(' ')}`);
}

/** Tokens that are learned stand in brackets. */
function describeTokens({ line, tokens }: RowTokens): string {
  let text = '';
  for (const [i, token] of tokens.entries()) {
    const before = tokens[i - 1]?.supervised ?? false;
    if (token.supervised && !before) text += '[[';
    if (!token.supervised && before) text += ']]';
    text += token.text;
  }
  return `line ${line} (learned in brackets):\n${text}${tokens.at(-1)?.supervised ? ']]' : ''}`;
}
