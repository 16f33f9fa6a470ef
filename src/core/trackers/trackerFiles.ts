/** @file trackers.json and trackers/<kind>.json of a run, and which destinations this user has named. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { runNames } from '../../shared/runFolder.ts';
import {
  nameDestination,
  type TrackerKind,
  type TrackerReport,
  type TrackerTarget,
  trackerReportSchema,
  trackersFileSchema,
} from '../../shared/trackers.ts';
import { makeFolders } from '../formats/makeFolders.ts';
import { toWriteError } from '../formats/stagedFile.ts';
import { readJson, writeJson } from '../runs/jsonFile.ts';
import { ensureUserStateFolder } from '../runs/processRegistry.ts';

/** Where the run is to be reported. @throws TuneError `run-invalid` */
export function readTargets(run: string): TrackerTarget[] {
  const path = join(run, runNames.trackersFile);
  return existsSync(path) ? readJson(path, trackersFileSchema).targets : [];
}

/** Replaces the targets of the same kinds. @throws TuneError `disk-full` | `not-writable` */
export function addTargets(run: string, targets: readonly TrackerTarget[]): void {
  const kept = readTargets(run).filter(old => !targets.some(target => target.kind === old.kind));
  writeTargets(run, [...kept, ...targets]);
}

export function removeTarget(run: string, kind: TrackerKind): void {
  writeTargets(
    run,
    readTargets(run).filter(target => target.kind !== kind),
  );
}

function writeTargets(run: string, targets: readonly TrackerTarget[]): void {
  writeJson(join(run, runNames.trackersFile), { targets });
}

export const reportPath = (run: string, kind: TrackerKind): string => join(run, runNames.trackers, `${kind}.json`);

/** What has arrived; undefined when nothing was ever told. @throws TuneError `run-invalid` */
export function readReport(run: string, kind: TrackerKind): TrackerReport | undefined {
  const path = reportPath(run, kind);
  return existsSync(path) ? readJson(path, trackerReportSchema) : undefined;
}

/** @throws TuneError `disk-full` | `not-writable`, also when the run was deleted */
export function writeReport(run: string, report: TrackerReport): void {
  const path = reportPath(run, report.target.kind);
  const folder = join(run, runNames.trackers);
  try {
    if (existsSync(run) && !existsSync(folder)) makeFolders(folder);
  } catch (error) {
    throw toWriteError(error, folder);
  }
  writeJson(path, report);
}

const destinationsSchema = z.strictObject({ destinations: z.array(z.string()), python: z.string().nullable() });
const maxDestinations = 200;

/** A run folder may come from anyone: data go only where this user has said. */
export function isNamedByUser(target: TrackerTarget): boolean {
  const destination = nameDestination(target);
  return destination === undefined || readDestinations().destinations.includes(destination);
}

/** Keeps what the user named: where to report, and the Python with wandb. */
export function rememberNamed(targets: readonly TrackerTarget[], python: string | null): void {
  const known = readDestinations();
  const named = targets.map(nameDestination).filter(name => name !== undefined);
  const destinations = [...new Set([...known.destinations, ...named])].slice(-maxDestinations);
  const next = { destinations, python: python ?? known.python };
  if (JSON.stringify(next) !== JSON.stringify(known)) writeJson(destinationsPath(), next);
}

/** The Python that the user named last. */
export function readNamedPython(): string | null {
  return readDestinations().python;
}

function readDestinations(): z.infer<typeof destinationsSchema> {
  const path = destinationsPath();
  return existsSync(path) ? readJson(path, destinationsSchema) : { destinations: [], python: null };
}

function destinationsPath(): string {
  return join(ensureUserStateFolder(), 'trackers.json');
}
