/** @file Which other machine works on a run, in words. */
import { formatDuration } from '../../src/shared/formatDuration.ts';
import type { RunState } from '../../src/shared/pages.ts';

/** Signs of life come each second; a disk between the machines delays them. */
const promptMs = 15_000;

/** `On node17`, or since when nothing was heard of it. */
export function describeRemote(remote: RunState['remote']): string {
  if (remote === null) return '';
  const { host, quietMs } = remote;
  return quietMs < promptMs ? `On ${host}` : `Last heard ${formatDuration(quietMs)} ago on ${host}`;
}
