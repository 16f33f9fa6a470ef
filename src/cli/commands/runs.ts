/** `tuning-fork runs`: what runs there are and how they stand. */
import { listRuns } from '../../core/runs/runStore.ts';
import { type RunView, viewRun } from '../../core/runs/runView.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { toWireError } from '../../shared/errors.ts';
import type { Command } from '../command.ts';
import { runsOption, storeFolder } from '../runOptions.ts';

export const runs: Command = {
  name: 'runs',
  summary: 'List the runs and their states.',
  usage: '[--runs DIR]',
  options: [runsOption],
  maxPositionals: 0,
  run: async (args, output) => {
    const store = storeFolder(args);
    const shown: Record<string, unknown>[] = [];
    for (const path of listRuns(store)) {
      try {
        const view = viewRun(path);
        shown.push(toJson(view));
        output.print(describe(view));
      } catch (error) {
        const { code, message } = toWireError(error);
        shown.push({ path, state: 'unreadable', error: { code, message } });
        output.print(`${path}\n  unreadable: ${message}`);
      }
    }
    if (shown.length === 0) output.say(`No runs in ${store}.`);
    output.line({ type: 'result', store, runs: shown });
    return exitCodes.done;
  },
};

function toJson({ id, path, state, status, notes, record }: RunView): Record<string, unknown> {
  const { attempt, step, totalSteps, bestStep, bestEvalLossNats, stoppedEarly, error } = status;
  const progress = { attempt, step, totalSteps, bestStep, bestEvalLossNats, stoppedEarly, error };
  return {
    id,
    path,
    name: notes.name,
    state,
    ...progress,
    kind: record?.kind ?? null,
    model: record?.model.id ?? null,
  };
}

function describe({ id, state, status, record, process }: RunView): string {
  const steps = status.totalSteps > 0 ? `step ${status.step} of ${status.totalSteps}` : 'not prepared';
  const best =
    status.bestEvalLossNats === null
      ? ''
      : `, best held-out loss ${status.bestEvalLossNats.toFixed(4)} at ${status.bestStep}`;
  const model = record === undefined ? '' : `, ${record.model.id}`;
  const stranger = process === 'stranger' ? ` (process ${status.identity?.pid} is none of ours)` : '';
  const host = process === 'elsewhere' ? ` on ${status.identity?.host}` : '';
  const error = status.error === null ? '' : `\n  ${status.error.message}`;
  return `${id}\n  ${state}${host}${stranger}, ${steps}${best}${model}${error}`;
}
