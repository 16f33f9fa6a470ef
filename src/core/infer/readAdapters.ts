/** @file An adapter's folder, or several whose changes are added up -> one adapter for a model. */
import { type Adapter, readAdapter } from '../adapter/readAdapter.ts';
import { requirePlain, stackPairs } from '../adapter/stackAdapters.ts';
import type { Model } from '../models/findArchitecture.ts';
import { checkFits } from './adapterInputs.ts';

/**
 * Several give W + the sum of scale B A over them, as PEFT's `add_weighted_adapter` does with `combination_type="cat"` and
 * weights of 1. @throws TuneError `adapter-invalid` when one is none, belongs to another model, or cannot be added to others
 */
export function readAdapters(folders: readonly string[], model: Model): Adapter {
  const adapters = folders.map(readAdapter);
  if (adapters.length === 1) return adapters[0]!;
  requirePlain(adapters, 'Only plain adapters add up: use this one alone.');
  for (const adapter of adapters) checkFits(adapter, model);
  return {
    path: folders.join(' + '),
    baseModel: adapters[0]!.baseModel,
    pairs: stackPairs(adapters.map(({ pairs }) => pairs)),
    saved: [],
    coversAllLayers: false,
  };
}
