/** @file What a job says -> the lines that an attached parent prints. */
import type { JobEnd, JobEvent } from '../../core/jobs/jobEvents.ts';
import type { JsonLine, TrainResult } from '../../shared/commandLine.ts';

/** Undefined for events that only the log and the status tell. */
export function toJsonLine(event: JobEvent): JsonLine | undefined {
  switch (event.kind) {
    case 'phase':
      return { type: 'progress', phase: event.name, done: event.done, total: event.total };
    case 'step': {
      const { kind: _kind, ...row } = event.row;
      return { type: 'step', ...row };
    }
    case 'evaluation': {
      const { kind: _kind, attempt: _attempt, supervisedTokens: _tokens, elapsedMs: _ms, ...row } = event.row;
      // A preference loss is none of tokens: its exponential means nothing.
      const lossNats = row.rewardMargin === undefined ? (row.crossEntropyNats ?? row.evalLossNats) : undefined;
      return { type: 'evaluation', ...row, ...(lossNats === undefined ? {} : { perplexity: Math.exp(lossNats) }) };
    }
    case 'sample':
      return { type: 'sample', step: event.row.step, prompt: event.row.prompt, text: event.row.text };
    case 'checkpoint':
      return { type: 'checkpoint', step: event.step, path: event.path };
    case 'warning':
      return { type: 'problem', ...event.problem };
    case 'child':
      return { type: 'child', id: event.id, line: event.line };
    case 'line':
      return event.line;
    case 'prepared':
    case 'advance':
    case 'note':
      return undefined;
  }
}

/** Undefined when there is nothing that was made. */
export function toResultLine(run: string, end: JobEnd): JsonLine | undefined {
  const { output } = end;
  if (end.result !== undefined) return { type: 'result', path: run, ...end.result };
  if (output === null) return undefined;
  const result: TrainResult = {
    path: run,
    output,
    steps: end.step,
    baseEvalLossNats: end.baseEvalLossNats,
    bestEvalLossNats: end.bestEvalLossNats,
    bestStep: end.bestStep,
    stoppedEarly: end.reason === 'stoppedEarly',
    peakRssBytes: end.peakRssBytes,
  };
  return { type: 'result', ...result };
}
