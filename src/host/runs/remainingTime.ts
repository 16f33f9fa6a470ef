/** @file Step rows -> time left and a short text for it. */
import type { StepRow } from '../../shared/runFolder.ts';

const window = 50;

/** Milliseconds to the last step at the speed of the newest steps; null when that cannot be known yet. */
export function estimateRemainingMs(steps: readonly StepRow[], totalSteps: number): number | null {
  const last = steps.at(-1);
  if (last === undefined || totalSteps <= 0) return null;
  const recent = steps.slice(-window).filter(row => row.attempt === last.attempt);
  const first = recent[0]!;
  const stepCount = last.step - first.step;
  const spentMs = last.elapsedMs - first.elapsedMs;
  if (stepCount <= 0 || spentMs < 0) return null;
  return Math.max(0, Math.round((spentMs / stepCount) * (totalSteps - last.step)));
}

/** `42 s`, `3 min`, `2 h 05 min` */
export function formatTimeLeft(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
