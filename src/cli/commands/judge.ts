/** `tuning-fork judge`: base, base with its best prompt, adapters, other models and endpoints on the same rows, with figures that hold. */
import { resolve } from 'node:path';
import { parseMapping } from '../../core/data/mapping/mapping.ts';
import { nameBaseModel } from '../../core/jobs/prepare/runQuestions.ts';
import { readRecord } from '../../core/runs/runFiles.ts';
import { findRun } from '../../core/runs/runStore.ts';
import { TuneError } from '../../shared/errors.ts';
import {
  type EvaluationRequest,
  type MetricName,
  metricNames,
  type TaskName,
  taskNames,
} from '../../shared/evaluation.ts';
import { metricTable } from '../../shared/metricTable.ts';
import { taskPresets, usualMetrics } from '../../shared/taskPresets.ts';
import { isRunFolder, modelOption, requireOne } from '../answering.ts';
import { runAttachedTrainer } from '../attachedTrainer.ts';
import { candidateOptions, readCandidates } from '../candidateOptions.ts';
import type { Command, CommandArguments } from '../command.ts';
import { judgeOptions, readJudge } from '../judgeOptions.ts';
import { encodingOption, readEncoding, resolveModel, runsOption, storeFolder } from '../runOptions.ts';
import { readSplit, splitOption } from '../splitOption.ts';

export const judge: Command = {
  name: 'judge',
  summary:
    'Judge base, best prompt, adapters, models and endpoints on the same rows: figures with intervals, and a report.',
  usage:
    '(--run RUN [--split heldOut|test] | <dataset>) [--adapter RUN|DIR]... [--rows N] [--task NAME] [--glossary FILE|field:NAME]',
  options: [
    modelOption,
    {
      name: 'run',
      value: 'RUN',
      help: 'Judge the rows that this run held out, and its adapter; examples come from its training rows.',
    },
    splitOption,
    ...candidateOptions,
    { name: 'rows', value: 'N', help: 'Judge N rows drawn by the seed, default all.' },
    {
      name: 'task',
      value: 'NAME',
      help: `Metrics, prompt, mapping and decoding of a task: ${taskNames.join(', ')}. Options beside it win.`,
    },
    { name: 'metrics', value: 'A,B', help: `What is measured, default what applies of: ${metricNames.join(', ')}.` },
    {
      name: 'glossary',
      value: 'FILE|field:NAME',
      help: "Terms that answers have to get right: a file with one a line, or the values of the dataset's fields (field:a,b).",
    },
    { name: 'labels', value: 'A,B', help: 'Labels of a classification; default found from the references.' },
    ...judgeOptions,
    {
      name: 'mapping',
      value: 'KIND[:slot=field,...]',
      help: "How the dataset's fields become conversations; default detected.",
    },
    encodingOption,
    { name: 'context', value: 'N', help: 'Context in tokens when losses are measured, default that of the run.' },
    { name: 'max-tokens', value: 'N', help: "Most tokens of an answer, default the task's, else 160." },
    { name: 'temperature', value: 'X', help: '0 takes the likeliest token each time (default); higher = more varied.' },
    {
      name: 'top-p',
      value: 'P',
      help: 'Draw from the likeliest tokens that together reach this probability, default 1.',
    },
    { name: 'seed', value: 'N', help: 'Decides which rows are drawn, examples, and resamples; default 42.' },
    { name: 'float32', help: "Answer with a GGUF file's weights in float32 instead of in its blocks." },
    { name: 'name', value: 'TEXT', help: 'Name of the evaluation.' },
    runsOption,
  ],
  maxPositionals: 1,
  details: `The evaluation is a run of its own: it waits for its turn at the device, can be paused, stopped and resumed, and asks nothing
twice. Its folder evaluation/ holds answers.jsonl, metrics.json, report.md and report.html.

Metrics:
${metricNames.map(name => `  ${name}: ${metricTable[name].help}`).join('\n')}`,
  run: (args, output) => {
    const request = readEvaluationRequest(args);
    return runAttachedTrainer({ type: 'start', store: storeFolder(args), request, attached: true }, output);
  },
};

/** @throws TuneError `usage` */
function readEvaluationRequest(args: CommandArguments): EvaluationRequest {
  requireOne(args.positionals[0], args.one('run'), '<dataset> or --run RUN');
  const run = args.one('run') === undefined ? undefined : findRun(args.required('run'), storeFolder(args));
  const task = readTask(args.one('task'));
  const preset = task === undefined ? undefined : taskPresets[task];
  const candidates = readCandidates(args, run, preset?.system ?? null);
  const adapters = candidates.flatMap(candidate => (candidate.kind === 'adapter' ? candidate.paths : []));
  const mapping = args.one('mapping');
  const { maxTokens, temperature, topP } = preset?.decoding ?? { maxTokens: 160, temperature: 0, topP: 1 };
  const judgeModel = readJudge(args);
  const glossary = readGlossary(args.one('glossary'));
  const asked = readMetrics(args.one('metrics'));
  const metrics = (asked ?? preset?.metrics ?? usualMetrics).filter(
    name => (name !== 'termAccuracy' || glossary !== null) && (name !== 'judge' || judgeModel !== null),
  );
  const dropped = asked?.find(name => !metrics.includes(name));
  if (dropped !== undefined) {
    const missing = dropped === 'judge' ? '--judge' : '--glossary';
    throw new TuneError('usage', `--metrics ${dropped}: expected ${missing} beside it, got none`);
  }
  return {
    kind: 'evaluate',
    name: args.one('name') ?? `judge ${run === undefined ? '' : run.split(/[\\/]/).at(-1)!.slice(16, -5)}`.trim(),
    model: chooseBase(args, [...(run === undefined ? [] : [run]), ...adapters]),
    rows:
      run === undefined
        ? {
            kind: 'file',
            path: resolve(args.positional(0, 'dataset')),
            mapping: mapping === undefined ? null : parseMapping(mapping),
            encoding: readEncoding(args) ?? null,
            task: task ?? null,
          }
        : { kind: 'run', run, split: readSplit(args) },
    candidates,
    maxRows: args.integer('rows', 1, 10_000_000) ?? null,
    metrics,
    decoding: {
      maxTokens: args.integer('max-tokens', 1, 1_000_000) ?? maxTokens,
      temperature: args.number('temperature', 0, 100) ?? temperature,
      topP: args.number('top-p', 1e-6, 1) ?? topP,
    },
    float32: args.has('float32'),
    contextTokens: args.integer('context', 8, 1_000_000) ?? null,
    glossary,
    labels: readLabels(args.one('labels')),
    judge: judgeModel,
    seed: args.integer('seed', 0, Number.MAX_SAFE_INTEGER) ?? 42,
    parents: [
      ...new Set(
        [...(run === undefined ? [] : [run]), ...adapters].filter(isRunFolder).map(path => path.split(/[\\/]/).at(-1)!),
      ),
    ],
  };
}

function chooseBase(args: CommandArguments, runs: readonly string[]): string {
  const given = args.one('model');
  if (given !== undefined) return resolveModel(given);
  const run = runs.find(isRunFolder);
  const record = run === undefined ? undefined : readRecord(run);
  return record === undefined ? args.required('model') : nameBaseModel(record.model);
}

function readTask(text: string | undefined): TaskName | undefined {
  const task = taskNames.find(name => name === text);
  if (task !== undefined || text === undefined) return task;
  throw new TuneError('usage', `--task: expected one of ${taskNames.join(', ')}, got "${text}"`);
}

function readMetrics(text: string | undefined): MetricName[] | undefined {
  return text?.split(',').map(part => {
    const name = metricNames.find(known => known === part.trim());
    if (name !== undefined) return name;
    throw new TuneError('usage', `--metrics: expected names out of ${metricNames.join(', ')}, got "${part}"`);
  });
}

function readGlossary(text: string | undefined): EvaluationRequest['glossary'] {
  if (text === undefined) return null;
  if (!text.startsWith('field:')) return { kind: 'file', path: resolve(text) };
  const fields = text
    .slice('field:'.length)
    .split(',')
    .map(field => field.trim());
  if (fields.every(field => field !== '')) return { kind: 'fields', fields };
  throw new TuneError('usage', `--glossary: expected field:NAME, got "${text}"`);
}

function readLabels(text: string | undefined): string[] | null {
  if (text === undefined) return null;
  const labels = text
    .split(',')
    .map(label => label.trim())
    .filter(label => label !== '');
  if (new Set(labels).size === labels.length && labels.length >= 2) return labels;
  throw new TuneError('usage', `--labels: expected at least two different labels, got "${text}"`);
}
