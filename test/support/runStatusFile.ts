/** status.json of a run, as any reader finds it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunStatus, statusSchema } from '../../src/shared/runFolder.ts';

export function runStatusFile(run: string): RunStatus {
  return statusSchema.parse(JSON.parse(readFileSync(join(run, 'status.json'), 'utf8')));
}
