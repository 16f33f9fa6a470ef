/** @file The settings -> where runs can be reported, and what is still missing. */
import { isAbsolute } from 'node:path';
import type { TrackerChoice } from '../../shared/pages.ts';
import { type TrackerKind, type TrackerTarget, trackerKinds, trackerTargetSchema } from '../../shared/trackers.ts';
import type { Settings } from '../settings.ts';

type TrackerSettings = Pick<
  Settings,
  'tensorboardFolder' | 'mlflowUri' | 'mlflowExperiment' | 'wandbProject' | 'wandbEntity' | 'wandbUrl'
>;

/** Undefined while the settings do not name the place. */
export function findTarget(kind: TrackerKind, settings: TrackerSettings): TrackerTarget | undefined {
  const { tensorboardFolder, mlflowUri, mlflowExperiment, wandbProject, wandbEntity, wandbUrl } = settings;
  if (kind === 'tensorboard' && tensorboardFolder !== '' && !isAbsolute(tensorboardFolder)) return undefined;
  const target = {
    tensorboard: { kind, folder: tensorboardFolder || null },
    mlflow: { kind, uri: mlflowUri, experiment: mlflowExperiment },
    wandb: { kind, project: wandbProject, entity: wandbEntity || null, baseUrl: wandbUrl || null },
  }[kind];
  return trackerTargetSchema.safeParse(target).data;
}

export function findTargets(kinds: readonly TrackerKind[], settings: TrackerSettings): TrackerTarget[] {
  return kinds.map(kind => findTarget(kind, settings)).filter(target => target !== undefined);
}

/** What the form offers. */
export function listTrackerChoices(chosen: readonly TrackerKind[], settings: TrackerSettings): TrackerChoice[] {
  return trackerKinds.map(kind => {
    const target = findTarget(kind, settings);
    const detail = target === undefined ? missing[kind] : describeTarget(target);
    return { kind, on: chosen.includes(kind) && target !== undefined, detail, isReady: target !== undefined };
  });
}

const missing: Record<TrackerKind, string> = {
  tensorboard: 'The setting tuningFork.tensorboardFolder must be an absolute path.',
  mlflow: 'Name the server first: setting tuningFork.mlflowUri.',
  wandb: 'The settings tuningFork.wandb… name no project.',
};

function describeTarget(target: TrackerTarget): string {
  switch (target.kind) {
    case 'tensorboard':
      return target.folder ?? "event files in the run's folder";
    case 'mlflow':
      return `${target.experiment} at ${target.uri}`;
    case 'wandb':
      return `${target.entity === null ? '' : `${target.entity}/`}${target.project}, offline until you upload it`;
  }
}
