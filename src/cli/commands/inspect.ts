/** `tuning-fork inspect`: how a file is read, what is wrong with it, and how a row looks to the model. */
import { resolve } from 'node:path';
import { type CheckOptions, checkExamples } from '../../core/data/check/checkExamples.ts';
import type { Example } from '../../core/data/example.ts';
import { parseMapping } from '../../core/data/mapping/mapping.ts';
import { readDataset, scanDataset } from '../../core/data/readDataset.ts';
import { describeRow, TokenCounter } from '../../core/jobs/prepare/countTokens.ts';
import { describeDataset, shownRows } from '../../core/jobs/prepare/describeDataset.ts';
import { type ModelText, openModelText } from '../../core/jobs/prepare/openModelText.ts';
import { measureModel } from '../../core/models/measureModel.ts';
import { openModel } from '../../core/models/openModel.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import type { CheckReport } from '../../shared/datasetChecks.ts';
import type { DatasetInspection, ModelSize, RowTokens } from '../../shared/datasetProtocol.ts';
import { TuneError } from '../../shared/errors.ts';
import { defaultHyperparameters } from '../../shared/hyperparameters.ts';
import { suggestForInspection } from '../../shared/suggestSettings.ts';
import type { Command, CommandArguments } from '../command.ts';
import { readTopicRequest, tellTopics, topicOptions } from '../inspectTopics.ts';
import { interruptible } from '../interruptible.ts';
import type { Output } from '../output.ts';
import { findTinyModel } from '../places.ts';
import { encodingOption, readEncoding, resolveModel } from '../runOptions.ts';

const shownFindings = 5;

export const inspect: Command = {
  name: 'inspect',
  summary:
    'Show how a dataset is read: format, mapping, counts, problems by line, tokens, and one row as the model sees it.',
  usage: '<dataset> [--model M] [--row N] [--check] [--topics [--required NAME,...]]',
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
      help: 'Look at every row: duplicates, conflicts, HTML, wrong encodings, personal data, languages, with --model rows over the context ...',
    },
    ...topicOptions,
    { name: 'held-out', value: 'DATASET', help: 'With --check: rows that must not be trained on.' },
    { name: 'context', value: 'N', help: `Context in tokens, default ${defaultHyperparameters.contextTokens}.` },
  ],
  maxPositionals: 1,
  run: (args, output) => interruptible(output, signal => run(args, output, signal)),
};

async function run(args: CommandArguments, output: Output, signal: AbortSignal): Promise<number> {
  const path = resolve(args.positional(0, 'dataset'));
  const contextTokens = args.integer('context', 8, 131072) ?? defaultHyperparameters.contextTokens;
  const row = args.integer('row', 0, Number.MAX_SAFE_INTEGER);
  const mappingText = args.one('mapping');
  const topicRequest = readTopicRequest(args);
  const model = await readModelText(args, row);
  const text = model?.text;
  const mapping = mappingText === undefined ? null : parseMapping(mappingText);
  const counter = text === undefined ? undefined : new TokenCounter(text, contextTokens);
  const options = { mapping, encoding: readEncoding(args), onProgress: tellProgress(output), signal };
  // Rows are kept only where each is compared with all others.
  const isKept = args.has('check');
  const kept: Example[] = [];
  const keptTokens: number[] = [];
  let wanted: Example | undefined;
  let index = 0;
  const dataset = await scanDataset(path, options, example => {
    const tokens = counter?.add(example);
    if (isKept && tokens !== undefined) keptTokens.push(tokens);
    topicRequest?.sampler.add(example);
    if (isKept || index < shownRows) kept.push(example);
    if (index++ === row) wanted = example;
  });
  const inspection = describeDataset(dataset, kept, { tokens: counter?.counts ?? null, model: model?.size ?? null });
  show(inspection, output);
  const checks = isKept
    ? await checkAll(kept, counter && { counts: keptTokens, contextTokens }, args, output, signal)
    : null;
  const topics = topicRequest === undefined ? null : await tellTopics(topicRequest, output, signal);
  const shown = text === undefined || row === undefined ? undefined : describeWanted(wanted, row, index);
  if (shown !== undefined) output.print(describeTokens(shown));
  output.line({
    type: 'result',
    ...inspection,
    ...(checks === null ? {} : { checks }),
    ...(topics === null ? {} : { topics }),
    ...(shown === undefined ? {} : { row: shown }),
  });
  return exitCodes.done;

  function describeWanted(example: Example | undefined, at: number, rows: number): RowTokens {
    if (example !== undefined) return describeRow([example], 0, text!, contextTokens);
    throw new TuneError('usage', `row: expected a number below ${rows}, got ${at}`);
  }
}

/** Files that take a moment tell how far they are, at every tenth. */
const longFileBytes = 64 * 1024 * 1024;

function tellProgress(output: Output): (done: number, total: number) => void {
  let tenths = 0;
  return (done, total) => {
    output.progress(`reading ${done}/${total}`);
    if (total < longFileBytes || (10 * done) / total < tenths + 1) return;
    tenths = Math.floor((10 * done) / total);
    output.line({ type: 'progress', phase: 'reading data', done, total });
  };
}

async function checkAll(
  examples: readonly Example[],
  tokens: CheckOptions['tokens'],
  args: CommandArguments,
  output: Output,
  signal: AbortSignal,
): Promise<CheckReport> {
  const heldOut = args.one('held-out');
  const report = await checkExamples(examples, {
    heldOut: heldOut === undefined ? [] : (await readDataset(resolve(heldOut), { signal })).examples,
    tokens,
    signal,
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
