/** Every command, in the order of the help text. A new one is a file in commands/ and a line here. */
import type { Command } from './command.ts';
import { augment } from './commands/augment.ts';
import { best } from './commands/best.ts';
import { cache } from './commands/cache.ts';
import { clean } from './commands/clean.ts';
import { compare } from './commands/compare.ts';
import { distill } from './commands/distill.ts';
import { doctor } from './commands/doctor.ts';
import { drift } from './commands/drift.ts';
import { evaluate } from './commands/eval.ts';
import { exportRun } from './commands/export.ts';
import { exportJobCommand } from './commands/exportJob.ts';
import { forecast } from './commands/forecast.ts';
import { generate } from './commands/generate.ts';
import { inspect } from './commands/inspect.ts';
import { judge } from './commands/judge.ts';
import { pause } from './commands/pause.ts';
import { pipeline } from './commands/pipeline.ts';
import { push } from './commands/push.ts';
import { python } from './commands/python.ts';
import { resume } from './commands/resume.ts';
import { review } from './commands/review.ts';
import { runs } from './commands/runs.ts';
import { search } from './commands/search.ts';
import { serve } from './commands/serve.ts';
import { stop } from './commands/stop.ts';
import { track } from './commands/track.ts';
import { train } from './commands/train.ts';

export const commands: readonly Command[] = [
  inspect,
  clean,
  augment,
  review,
  drift,
  forecast,
  train,
  pipeline,
  search,
  best,
  resume,
  pause,
  stop,
  runs,
  evaluate,
  generate,
  compare,
  judge,
  distill,
  serve,
  exportRun,
  push,
  exportJobCommand,
  track,
  doctor,
  python,
  cache,
];
