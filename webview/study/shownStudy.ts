/** @file What several views of the study page need: trials, labels of settings, and where a value lies on an axis. */
import type { StudyState } from '../../src/shared/pages.ts';
import type { Distribution, SearchParameter } from '../../src/shared/searchRecord.ts';
import type { ShownTrial } from '../../src/shared/studySnapshot.ts';
import { formatFigure } from '../format/formatNumber.ts';

/** A state of the page, and the trial that a person has picked out. */
export type ShownStudy = StudyState & { readonly selected: number | null };

export const trialsOf = ({ study }: StudyState): readonly ShownTrial[] => study?.trials ?? [];
export const spaceOf = ({ record }: StudyState): readonly SearchParameter[] => record?.settings.space ?? [];

export const metricLabel = ({ record }: StudyState): string =>
  record?.settings.metric === 'tokenF1' ? 'Token F1' : 'Held-out loss';

export const trialStateLabels: Record<ShownTrial['state'], string> = {
  waiting: 'Waiting',
  running: 'Running',
  complete: 'Complete',
  pruned: 'Ended early',
  failed: 'Failed',
};

/** The value to show: the result, else what was measured last. */
export function describeValue({ value, curve }: ShownTrial): string {
  if (value !== null) return formatFigure(value);
  const last = curve.at(-1);
  return last === undefined ? '' : `${formatFigure(last[1])} at ${last[0]} %`;
}

/** Where a setting's text lies on its axis, 0..1; undefined where it does not. */
export function placeOf(distribution: Distribution, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (distribution.kind === 'choice') {
    const index = distribution.choices.indexOf(text);
    if (index < 0) return undefined;
    return distribution.choices.length === 1 ? 0.5 : index / (distribution.choices.length - 1);
  }
  const { low, high, log } = distribution;
  const value = Number(text);
  if (!Number.isFinite(value)) return undefined;
  const scale = (x: number) => (log ? Math.log(x) : x);
  return Math.min(1, Math.max(0, (scale(value) - scale(low)) / (scale(high) - scale(low))));
}
