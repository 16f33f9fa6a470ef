/** The lines of a run -> words for people: one line that moves on a terminal, a few plain lines elsewhere. */
import type { JsonLine, TrainResult } from '../shared/commandLine.ts';
import type { ForgettingTable } from '../shared/pipeline.ts';
import type { Measures } from '../shared/runFolder.ts';
import { type EvaluationLineResult, formatEvaluation } from './evaluationTable.ts';
import { formatForgetting } from './forgettingTable.ts';
import type { Output } from './output.ts';

export class RunPrinter {
  private readonly output: Output;
  private evalLoss = '';
  /** Stages come one after the other: what their runs say is told as if there were no others. */
  private isPipeline = false;

  constructor(output: Output) {
    this.output = output;
  }

  show(line: JsonLine): void {
    switch (line.type) {
      case 'progress':
        this.output.progress(`${line.phase} ${line.done}/${line.total}`);
        break;
      case 'step': {
        const speed = `${Math.round(line.tokensPerSecond)} tokens/s`;
        const loss = `loss ${line.lossNats.toFixed(4)}`;
        this.output.progress(`step ${line.step}  epoch ${line.epoch.toFixed(2)}  ${loss}${this.evalLoss}  ${speed}`);
        break;
      }
      case 'evaluation': {
        this.evalLoss = `  held-out ${line.evalLossNats.toFixed(4)}`;
        // Of an evaluation: its table follows.
        if (line.step === undefined) break;
        const label = line.step === 0 ? 'base model' : `step ${line.step}`;
        this.output.say(`${label}: held-out loss ${line.evalLossNats.toFixed(4)} nats${describeMeasures(line)}`);
        break;
      }
      case 'sample':
        this.output.say(`step ${line.step}: ${line.prompt}\n  ${line.text}`);
        break;
      case 'checkpoint':
        this.output.progress(`checkpoint at step ${line.step}`);
        break;
      case 'trial':
        this.output.say(describeTrial(line));
        break;
      case 'problem':
        this.output.say(`Warning: ${line.message}\n  ${line.fix}`);
        break;
      case 'stage':
        this.isPipeline = true;
        this.output.say(describeStage(line));
        break;
      case 'child':
        // Its own last lines are told by whoever started it.
        if (this.isPipeline && line.line.type !== 'result' && line.line.type !== 'error') this.show(line.line);
        else if (line.line.type === 'step') this.output.progress(`${line.id}  ${describeStep(line.line)}`);
        break;
      case 'result':
        if ('metricsFile' in line) this.output.say(formatEvaluation(line as unknown as EvaluationLineResult));
        else if ('forgetting' in line) this.output.say(describePipeline(line as unknown as PipelineResult));
        else if ('report' in line) this.output.say(describeSearch(line));
        else this.output.say(describeResult(line as unknown as TrainResult));
        break;
      default:
        break;
    }
  }
}

interface PipelineResult {
  readonly output: string;
  readonly forgetting: ForgettingTable;
}

function describePipeline({ output, forgetting }: PipelineResult): string {
  const table = `Held-out loss in nats after each stage (and against that right after the rows' own stage):`;
  return [table, formatForgetting(forgetting), output].join('\n');
}

function describeStage({ stage, index, total, state, run }: Extract<JsonLine, { type: 'stage' }>): string {
  const what = state === 'reused' ? 'unchanged, not trained again' : state;
  return `Stage ${index + 1}/${total} ${stage}: ${what}${run === null ? '' : ` (${run})`}`;
}

function describeStep({ step, lossNats }: { step: number; lossNats: number }): string {
  return `step ${step}  loss ${lossNats.toFixed(4)}`;
}

function describeTrial({ number, state, settings, value }: Extract<JsonLine, { type: 'trial' }>): string {
  const tried = Object.entries(settings).map(([name, text]) => `${name}=${text}`);
  const result = value === null ? '' : ` ${value.toFixed(4)}`;
  const words = { waiting: 'waits', running: 'begins', complete: 'complete:', pruned: 'ended early', failed: 'failed' };
  return `trial ${number} ${words[state]}${result}${state === 'running' ? `  ${tried.join(' ')}` : ''}`;
}

function describeSearch(line: Readonly<Record<string, unknown>>): string {
  const { trial, value, testLossNats, baseTestLossNats, output, report } = line;
  const figure = (given: unknown) => (typeof given === 'number' ? given.toFixed(4) : '');
  const judged =
    typeof testLossNats === 'number'
      ? [
          `On test rows that no trial saw: loss ${figure(baseTestLossNats)} (base model) -> ${figure(testLossNats)} nats.`,
        ]
      : [];
  return [`Best: trial ${trial} with ${figure(value)}.`, ...judged, `${output}`, `${report}`].join('\n');
}

/** What an objective measures beside its loss. */
function describeMeasures({ rewardAccuracy, rewardMargin, crossEntropyNats, divergenceNats }: Measures): string {
  if (rewardAccuracy !== undefined && rewardMargin !== undefined) {
    return `, chosen answer preferred in ${(100 * rewardAccuracy).toFixed(0)} % of pairs, margin ${rewardMargin.toFixed(3)}`;
  }
  if (crossEntropyNats === undefined || divergenceNats === undefined) return '';
  return `, on the answers ${crossEntropyNats.toFixed(4)}, from the teacher ${divergenceNats.toFixed(4)}`;
}

function describeResult({
  output,
  steps,
  baseEvalLossNats,
  bestEvalLossNats,
  bestStep,
  stoppedEarly,
}: TrainResult): string {
  const end = `Done after ${steps} steps${stoppedEarly ? ' (stopped early: the held-out loss no longer fell)' : ''}.`;
  const loss =
    baseEvalLossNats === null || bestEvalLossNats === null
      ? []
      : [`Held-out loss ${baseEvalLossNats.toFixed(4)} -> ${bestEvalLossNats.toFixed(4)} nats (step ${bestStep}).`];
  return [end, ...loss, output].join('\n');
}
