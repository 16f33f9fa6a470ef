/** `tuning-fork forecast`: steps, tokens and memory of a run, and whether it can start. */

import { forecastTrainingMs } from '../../core/jobs/forecast/forecastTime.ts';
import type { CheckOptions } from '../../core/jobs/prepare/checkRun.ts';
import { forecastRun } from '../../core/jobs/prepare/forecastRun.ts';
import { measureRounding } from '../../core/jobs/train/measureRounding.ts';
import { describePython } from '../../core/python/describePython.ts';
import { runProgram } from '../../core/python/runProgram.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import type { EngineChoice } from '../../shared/engineChoice.ts';
import { fromWireError } from '../../shared/errors.ts';
import { formatBytes } from '../../shared/formatBytes.ts';
import { formatDuration } from '../../shared/formatDuration.ts';
import type { Forecast } from '../../shared/recipe.ts';
import type { Command } from '../command.ts';
import { findTinyModel } from '../places.ts';
import { locatePython } from '../pythonPlace.ts';
import { describeHyperparameters, readRequest, requestOptions } from '../runOptions.ts';

export const forecast: Command = {
  name: 'forecast',
  summary: 'Say how many steps, tokens, bytes and minutes a run needs, and what speaks against it.',
  usage: '<dataset> --model M [--recipe run.json] [--set k=v]...',
  options: [...requestOptions, { name: 'recipe', value: 'run.json', help: 'Start from the recipe of a run.' }],
  maxPositionals: 1,
  details: describeHyperparameters(),
  run: async (args, output) => {
    const onPhase = (phase: string, done: number, total: number) => output.progress(`${phase} ${done}/${total}`);
    const control: CheckOptions['control'] = { ask: () => 'continue' };
    const python = await describePython(locatePython(), { run: runProgram });
    const places = { python, tinyFolder: findTinyModel(), hub: undefined };
    const options = { ...places, control, onPhase, measures: true, measureRounding };
    const report = await forecastRun(readRequest(args), options, checked => {
      onPhase('measuring speed', 0, 1);
      return forecastTrainingMs(checked, { now: () => performance.now(), check: () => undefined });
    });
    if (report.error !== null) throw fromWireError(report.error);
    if (report.forecast !== null) output.print(describe(report.forecast, report.engine));
    if (report.engine !== undefined) output.print(`engine ${report.engine.engine}: ${report.engine.reason}`);
    if (report.trainingMs !== null) output.print(`time about ${formatDuration(report.trainingMs)} of training`);
    for (const finding of report.findings) {
      output.print(
        `${finding.message} ${finding.remedy}${finding.override === null ? '' : ` (--override ${finding.override})`}`,
      );
    }
    output.print(report.canStart ? 'It can start.' : 'It is refused as it is.');
    output.line({
      type: 'result',
      canStart: report.canStart,
      findings: report.findings,
      ...report.forecast,
      engine: report.engine,
      trainingMs: report.trainingMs,
      fit: report.fit,
    });
    return exitCodes.done;
  },
};

function describe(f: Forecast, choice: EngineChoice | undefined): string {
  const isPytorch = choice?.engine === 'pytorch';
  const how = `${isPytorch ? 'PyTorch' : `${f.plan} model`}, base weights ${f.baseWeights}`;
  return [
    `${f.totalSteps} steps; ${f.trainRows} rows for training, ${f.heldOutRows} held out`,
    `${f.tokensPerEpoch} tokens an epoch, ${f.supervisedTokensPerEpoch} of them supervised`,
    `memory ${formatBytes(f.peakMemoryBytes)} of ${formatBytes(f.memoryLimitBytes)} allowed${f.card === undefined ? '' : ` on ${f.card}`} (${how})`,
  ].join('\n');
}
