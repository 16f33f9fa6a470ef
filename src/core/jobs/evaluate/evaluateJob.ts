/**
 * @file An evaluation's folder -> who answers better: every candidate answers the same rows, is measured by the same
 * metrics, and a report says by how much they differ and how sure that is. A killed evaluation goes on from its journal.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { diagnoseCurves, diagnoseEvaluation, type Finding } from '../../../shared/diagnose.ts';
import type { EvaluationRequest } from '../../../shared/evaluation.ts';
import { type EvaluationResult, evaluationNames } from '../../../shared/evaluationFiles.ts';
import type { HubSettings } from '../../../shared/hubSettings.ts';
import { runNames } from '../../../shared/runFolder.ts';
import { parseMetrics } from '../../../shared/runState.ts';
import { makeFolders } from '../../formats/makeFolders.ts';
import { toWriteError } from '../../formats/stagedFile.ts';
import { lastQuestion } from '../../infer/answeredQuestion.ts';
import { summarizeEvaluation } from '../../judge/summarizeEvaluation.ts';
import { writeJson } from '../../runs/jsonFile.ts';
import { readNotes } from '../../runs/runFiles.ts';
import type { TrainControl } from '../../train/trainLoop.ts';
import { interruptible, JobInterrupted } from '../interruption.ts';
import type { JobEnd, JobEvent } from '../jobEvents.ts';
import { modelOptions } from '../prepare/checkRun.ts';
import { streamEvents } from '../streamEvents.ts';
import { readPeakRssBytes } from '../train/peakMemory.ts';
import { answerLocally } from './answerLocally.ts';
import { askEndpoints } from './askEndpoints.ts';
import { referenceOf } from './evaluatedRows.ts';
import type { EvaluationContext } from './evaluationContext.ts';
import { EvaluationJournal } from './evaluationJournal.ts';
import { chooseOpponent, judgePairs, nameJudge } from './judgePairs.ts';
import { loadGlossary } from './loadGlossary.ts';
import { measureReferenceLosses } from './measureReferenceLosses.ts';
import { measureRelevance } from './measureRelevance.ts';
import { prepareEvaluation } from './prepareEvaluation.ts';
import { writeEvaluationReport } from './writeEvaluationReport.ts';

export interface EvaluateJobInput {
  /** The evaluation's run folder. */
  readonly run: string;
  readonly control: Pick<TrainControl, 'ask'>;
  readonly hub: HubSettings | undefined;
  readonly tinyFolder: string;
}

export function evaluateJob(input: EvaluateJobInput): AsyncGenerator<JobEvent, JobEnd> {
  return streamEvents(async emit => {
    let done = 0;
    const tell = (event: JobEvent): void => {
      if (event.kind === 'advance') done = event.step;
      emit(event);
    };
    const onPhase = thinOut((name, done, total) => emit({ kind: 'phase', name, done, total }));
    try {
      return await interruptible(input.control, signal => evaluate(input, signal, onPhase, tell));
    } catch (error) {
      if (error instanceof JobInterrupted) return toEnd(error.reason, done);
      throw error;
    }
  });
}

async function evaluate(
  input: EvaluateJobInput,
  signal: AbortSignal,
  onPhase: EvaluationContext['onPhase'],
  emit: (event: JobEvent) => void,
): Promise<JobEnd> {
  const { run } = input;
  const models = modelOptions({ ...input, onPhase }, signal);
  const prepared = await prepareEvaluation(run, { models, signal, onPhase });
  const { record, data, request } = prepared;
  const folder = join(run, evaluationNames.folder);
  makeEvaluationFolder(folder);
  const glossary = await loadGlossary(request, data, signal);
  const steps = listSteps(request);
  emit({ kind: 'prepared', record, step: 0, totalSteps: steps.length });
  const journal = new EvaluationJournal(join(folder, evaluationNames.answers));
  try {
    noteRows(journal, data);
    const context: EvaluationContext = { ...prepared, journal, models, signal, onPhase };
    for (const [index, step] of steps.entries()) {
      await step(context);
      emit({ kind: 'advance', step: index + 1, totalSteps: steps.length, bestStep: null, bestEvalLossNats: null });
    }
    onPhase('comparing', 0, 1);
    const judge =
      request.judge === null
        ? null
        : { name: nameJudge(request.judge), opponent: chooseOpponent(request.candidates).id };
    const lines = journal.all();
    const { candidates, metrics, seed, labels } = request;
    const summary = summarizeEvaluation({ candidates, metrics, seed, lines, glossary, labels, judge });
    const result = { ...summary, findings: [...diagnoseEvaluation(summary), ...diagnoseRun(request)] };
    const metricsPath = join(folder, evaluationNames.metrics);
    writeJson(metricsPath, result);
    const paths = writeEvaluationReport(folder, { name: readNotes(run).name, record, result }, lines);
    tellLosses(result, emit);
    const figures = { candidates: result.candidates, metrics: result.metrics, findings: result.findings };
    return {
      ...toEnd('finished', steps.length),
      result: { ...paths, metricsFile: metricsPath, rows: result.rows, ...figures },
    };
  } finally {
    journal.close();
  }
}

type Step = (context: EvaluationContext) => Promise<void>;

/** Local answers first: they choose the prompt with which losses are measured. */
function listSteps({ metrics, candidates, judge }: EvaluationRequest): Step[] {
  const wantsLoss = metrics.includes('loss') || metrics.includes('perplexity');
  const hasPrompt = candidates.some(({ kind }) => kind === 'prompted');
  const wantsAnswers = hasPrompt || metrics.some(name => name !== 'loss' && name !== 'perplexity');
  return [
    ...(wantsAnswers ? [answerLocally, askEndpoints] : []),
    ...(wantsLoss ? [measureReferenceLosses] : []),
    ...(metrics.includes('relevance') ? [measureRelevance] : []),
    ...(judge !== null ? [judgePairs] : []),
  ];
}

function noteRows(journal: EvaluationJournal, { examples, questions }: EvaluationContext['data']): void {
  for (const [row, example] of examples.entries()) {
    const { file, line } = example.origin;
    const question = questions[row];
    const asked = question === undefined ? null : lastQuestion(question);
    journal.add({ kind: 'row', row, file, line, question: asked, reference: referenceOf(example) });
  }
}

function tellLosses({ candidates, metrics }: EvaluationResult, emit: (event: JobEvent) => void): void {
  for (const { candidate, value } of metrics.find(({ name }) => name === 'loss')?.values ?? []) {
    const found = candidates.find(({ id }) => id === candidate);
    const adapter = found === undefined || found.kind === 'base' ? {} : { adapter: found.label };
    emit({
      kind: 'line',
      line: { type: 'evaluation', evalLossNats: value, perplexity: Math.exp(value), ...adapter },
    });
  }
}

/** What the curves of the judged run say. */
function diagnoseRun({ rows }: EvaluationRequest): Finding[] {
  const path = rows.kind === 'run' ? join(rows.run, runNames.metrics) : undefined;
  return path === undefined || !existsSync(path) ? [] : diagnoseCurves(parseMetrics(readFileSync(path, 'utf8')));
}

function makeEvaluationFolder(folder: string): void {
  try {
    makeFolders(folder);
  } catch (error) {
    throw toWriteError(error, folder);
  }
}

const phaseIntervalMs = 150;

/** The first and the last of a phase, and a few a second between. */
function thinOut(tell: EvaluationContext['onPhase']): EvaluationContext['onPhase'] {
  let [last, toldAt] = ['', Number.NEGATIVE_INFINITY];
  return (name, done, total) => {
    const now = performance.now();
    if (name === last && done < total && now - toldAt < phaseIntervalMs) return;
    [last, toldAt] = [name, now];
    tell(name, done, total);
  };
}

function toEnd(reason: 'finished' | 'paused' | 'stopped', step: number): JobEnd {
  const figures = { baseEvalLossNats: null, bestEvalLossNats: null, bestStep: null };
  return { reason, step, output: null, ...figures, peakRssBytes: readPeakRssBytes() };
}
