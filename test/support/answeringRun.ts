/** A finished run on a tiny model that can answer, where the built programs find it. */
import { join } from 'node:path';
import type { Hyperparameters } from '../../src/shared/hyperparameters.ts';
import { makePlace, type Place } from './programs.ts';
import { writeTinyModel } from './tinyModel.ts';
import { makeTinyRun, runJob } from './tinyRun.ts';

export interface AnsweringRun {
  readonly place: Place;
  readonly model: string;
  readonly run: string;
  readonly bestEvalLossNats: number;
  readonly baseEvalLossNats: number;
}

/** To be called inside a test. */
export async function makeAnsweringRun(settings: Partial<Hyperparameters> = {}): Promise<AnsweringRun> {
  const place = makePlace();
  const model = writeTinyModel(join(place.folder, 'chat'), { heads: 2 });
  const run = makeTinyRun(place.folder, {
    request: { model },
    settings: { maxSteps: 10, evalEverySteps: 5, learningRate: 0.02, evalRatio: 0.2, ...settings },
  });
  const { end } = await runJob(run);
  return { place, model, run, bestEvalLossNats: end.bestEvalLossNats!, baseEvalLossNats: end.baseEvalLossNats! };
}
