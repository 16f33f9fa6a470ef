/**
 * @file Settings that do not fit the memory limit -> the nearest ones that do. What costs least comes first: context that
 * no row needs, smaller batches summed to the same step, a base in 4 bit, an adapter instead of all weights, and only
 * then a context that leaves rows out.
 */
import type { HyperparameterName, Hyperparameters } from '../../../shared/hyperparameters.ts';
import type { TensorSource } from '../../formats/tensorSource.ts';
import type { Model } from '../../models/findArchitecture.ts';
import { type MemoryPlan, type PlanCircumstances, planMemory } from './memoryPlan.ts';

export interface ProposedFit {
  /** The settings to change, and nothing else. */
  readonly settings: Partial<Hyperparameters>;
  readonly peakMemoryBytes: number;
}

export interface FitRequest {
  readonly model: Model;
  readonly weights: TensorSource;
  readonly hyperparameters: Hyperparameters;
  /** Of the rows that are there; longer contexts hold nothing but padding. */
  readonly longestTokens: number;
  readonly circumstances?: PlanCircumstances | undefined;
  /** Of another engine than the embedded one; it may compute layers again instead of keeping what they computed. */
  readonly planOther?: ((settings: Hyperparameters) => MemoryPlan) | undefined;
}

/** Contexts are multiples of this. */
const contextStep = 32;
const smallestContext = 128;

/** Undefined when it fits as it is, or nothing makes it fit. */
export function proposeFit(request: FitRequest): ProposedFit | undefined {
  const { model, weights, hyperparameters: given, circumstances } = request;
  const plan =
    request.planOther ??
    ((settings: Hyperparameters): MemoryPlan => planMemory(model, weights, settings, circumstances));
  const fits = ({ peakMemoryBytes, memoryLimitBytes }: MemoryPlan): boolean => peakMemoryBytes <= memoryLimitBytes;
  if (fits(plan(given))) return undefined;
  let settings = given;
  for (const change of listChanges(given, request.longestTokens, request.planOther !== undefined)) {
    settings = { ...settings, ...change };
    const planned = plan(settings);
    if (fits(planned)) {
      return { settings: findDifference(given, settings), peakMemoryBytes: planned.peakMemoryBytes };
    }
  }
  return undefined;
}

/** Changes that are made one after another until it fits. */
function listChanges(given: Hyperparameters, longestTokens: number, recomputes: boolean): Partial<Hyperparameters>[] {
  const changes: Partial<Hyperparameters>[] = [];
  const needed = Math.max(smallestContext, Math.ceil(longestTokens / contextStep) * contextStep);
  let { contextTokens } = given;
  if (needed < contextTokens) {
    contextTokens = needed;
    changes.push({ contextTokens });
  }
  const effectiveRows = given.batchRows * given.gradientAccumulation;
  for (let batchRows = given.batchRows; batchRows > 1; ) {
    batchRows = Math.floor(batchRows / 2);
    changes.push({ batchRows, gradientAccumulation: Math.ceil(effectiveRows / batchRows) });
  }
  if (recomputes && !given.gradientCheckpointing) changes.push({ gradientCheckpointing: true });
  if (given.method === 'full') changes.push({ method: 'lora' });
  if (given.baseWeights !== '4bit') changes.push({ baseWeights: '4bit' });
  while (contextTokens > smallestContext) {
    contextTokens = Math.max(smallestContext, Math.floor(contextTokens / 2 / contextStep) * contextStep);
    changes.push({ contextTokens });
  }
  return changes;
}

function findDifference(given: Hyperparameters, settings: Hyperparameters): Partial<Hyperparameters> {
  const names = Object.keys(settings) as HyperparameterName[];
  return Object.fromEntries(names.filter(name => settings[name] !== given[name]).map(name => [name, settings[name]]));
}
