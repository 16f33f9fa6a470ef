/** @file A run for other machines, as the editor asks for it. */
import type { HubSettings } from './hubSettings.ts';
import type { RunRequest } from './recipe.ts';

export interface JobOrder {
  request: RunRequest;
  hub: HubSettings;
  /** Absolute; to be made, or empty. */
  out: string;
  nodes: number;
  /** On each node; 0 trains on processors. */
  gpus: number;
  gpuName: string;
}

export type JobCalls = {
  /** The names of the files that were written. */
  'job/export': { parameters: JobOrder; result: string[] };
};
