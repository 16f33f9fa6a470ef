/** @file trackers.json and trackers/ of a run -> what its page says about them. A run folder is untrusted input. */
import { join } from 'node:path';
import type { TrackerLine } from '../../shared/pages.ts';
import { type ProcessIdentity, runNames } from '../../shared/runFolder.ts';
import {
  type TrackerKind,
  type TrackerReport,
  type TrackerTarget,
  trackerReportSchema,
  trackersFileSchema,
} from '../../shared/trackers.ts';
import { readJsonFile } from '../runs/readJsonFile.ts';

type Liveness = (run: string, identity: ProcessIdentity) => Promise<boolean>;

export async function readTrackerLines(run: string, isAlive: Liveness): Promise<TrackerLine[]> {
  const file = await readJsonFile(join(run, runNames.trackersFile), trackersFileSchema);
  return await Promise.all((file?.targets ?? []).map(target => readLine(run, target, isAlive)));
}

/** Undefined when nothing was reported yet. */
export async function readTrackerReport(run: string, kind: TrackerKind): Promise<TrackerReport | undefined> {
  return await readJsonFile(join(run, runNames.trackers, `${kind}.json`), trackerReportSchema);
}

async function readLine(run: string, { kind }: TrackerTarget, isAlive: Liveness): Promise<TrackerLine> {
  const report = await readTrackerReport(run, kind);
  const identity = report?.identity ?? null;
  const isDelivering = identity !== null && (await isAlive(run, identity));
  const hasOfflineRun = kind === 'wandb' && report?.memory.folder !== undefined;
  return {
    kind,
    state: report?.state ?? 'notBegun',
    isDelivering,
    step: report === undefined ? null : Math.max(0, report.position.step),
    hasLink: report?.link != null,
    canSync: hasOfflineRun && report?.state === 'caughtUp' && !isDelivering,
    remarks: report?.remarks ?? [],
    error: report?.error ?? null,
    retryAt: report?.retryAt ?? null,
  };
}
