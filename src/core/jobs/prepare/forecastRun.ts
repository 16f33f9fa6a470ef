/** @file A request -> what a person wants to know before the start, as the run will then be, weights included. */
import type { ForecastReport } from '../../../shared/datasetProtocol.ts';
import { TuneError, toWireError } from '../../../shared/errors.ts';
import type { RunRequest } from '../../../shared/recipe.ts';
import { type CheckedRun, checkRun } from './checkRun.ts';
import { judgeBaseWeights } from './judgeBaseWeights.ts';
import type { PrepareOptions } from './prepareRun.ts';

/**
 * Steps, tokens, memory and findings of the run; never throws for what the user gave. With `measureRounding` the base
 * weights are judged as at the start of the run; without, 8 bit is shown wherever it is faster.
 * @param measureTime measures a few seconds of training, for `trainingMs`
 */
export async function forecastRun(
  request: RunRequest,
  options: PrepareOptions,
  measureTime: (checked: CheckedRun) => Promise<number | null> = async () => null,
): Promise<ForecastReport> {
  try {
    const asked = await checkRun(request, options);
    const { model, teacher, refusals, warnings, fit, engine } = asked;
    const standing = refusals.filter(({ override }) => override === null || !isOverridden(override, request));
    const canStart = standing.length === 0;
    try {
      const { checked } = canStart ? await judgeBaseWeights(asked, options.measureRounding) : { checked: asked };
      const trainingMs = canStart ? await measureTime(checked) : null;
      const findings = [...refusals, ...warnings];
      const { forecast } = checked;
      return { forecast, engine, trainingMs, canStart, fit: fit?.settings ?? null, findings, error: null };
    } finally {
      model.close();
      teacher?.model.close();
    }
  } catch (error) {
    if (!(error instanceof TuneError)) throw error;
    return { forecast: null, trainingMs: null, canStart: false, fit: null, findings: [], error: toWireError(error) };
  }
}

function isOverridden(override: string, { overrides }: RunRequest): boolean {
  return (overrides as readonly string[]).includes(override);
}
