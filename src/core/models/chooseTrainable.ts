/**
 * @file Settings of a run -> the parameters that carry adapters and those that are trained themselves, chosen as PEFT
 * chooses them. @see https://github.com/huggingface/peft/blob/main/src/peft/tuners/tuners_utils.py
 */
import { TuneError } from '../../shared/errors.ts';
import { fusedLayers } from '../../shared/hyperparameters.ts';
import type { ParameterInfo } from './architecture.ts';
import type { Model } from './findArchitecture.ts';
import { findTargets, moduleOf } from './loraNames.ts';

export interface TrainableSettings {
  readonly method: 'lora' | 'full';
  /** Names of linear layers (`q_proj`), as PEFT matches them. */
  readonly targetModules: readonly string[];
  /** Numbers and ranges of blocks (`8-29`); empty = all. */
  readonly layersToTransform?: readonly string[] | undefined;
  /** Ends of modules' names whose parameters are trained themselves. */
  readonly modulesToSave?: readonly string[] | undefined;
}

export interface ChosenParameters {
  /** Linear weights that carry an adapter. */
  readonly targets: readonly ParameterInfo[];
  /** Trained themselves: everything for the full method. */
  readonly whole: readonly ParameterInfo[];
}

/** @throws TuneError `usage` when a name or a number fits nothing in the model */
export function chooseTrainable(model: Model, settings: TrainableSettings): ChosenParameters {
  const { embedding, layers, finalNorm, head } = model.architecture.describeParameters(model.config);
  const parameters = [...new Set([embedding, ...layers.flat(), finalNorm, head])];
  if (settings.method === 'full') return { targets: [], whole: parameters };
  const { targetModules, layersToTransform = [], modulesToSave = [] } = settings;
  const numbers = layersToTransform.length === 0 ? layers.keys() : expandLayers(layersToTransform, layers.length);
  const linears = [...numbers].flatMap(number => layers[number]!);
  const targets = findTargets(linears, targetModules);
  const isHere = (name: string): boolean => findTargets(layers[0]!, [name]).length > 0;
  // The default names the layers of every architecture: those that stand for layers of this one may be missing here.
  const unknown = targetModules.filter(name => {
    return !isHere(name) && !listCounterparts(name).some(other => targetModules.includes(other) && isHere(other));
  });
  if (targets.length === 0 || unknown.length > 0) {
    const known = layers[0]!.filter(({ kind }) => kind === 'linear').map(({ name }) => name.split('.').at(-2));
    throw usage(
      `targetModules: expected some of ${known.join(', ')}, got ${unknown.join(', ')}`,
      'Leave the setting out to train every linear layer.',
    );
  }
  return { targets, whole: findSaved(parameters, modulesToSave, targets, model.config.tiedEmbeddings) };
}

/** The layers of other architectures that do what this one does: one for several, or several for one. */
function listCounterparts(name: string): readonly string[] {
  const parts: Readonly<Record<string, readonly string[]>> = fusedLayers;
  return parts[name] ?? Object.keys(parts).filter(fused => parts[fused]!.includes(name));
}

/** `['0', '8-10']` -> 0, 8, 9, 10 in ascending order. @throws TuneError `usage` for blocks beyond the model's */
export function expandLayers(ranges: readonly string[], layers: number): number[] {
  const numbers = ranges.flatMap(range => {
    const [first, last = first] = range.split('-').map(Number) as [number, number?];
    if (first > last || last >= layers) {
      throw usage(`layersToTransform: expected layers from 0 to ${layers - 1}, got ${range}`);
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function findSaved(
  parameters: readonly ParameterInfo[],
  modulesToSave: readonly string[],
  targets: readonly ParameterInfo[],
  tiedEmbeddings: boolean,
): ParameterInfo[] {
  const matches = (parameter: ParameterInfo, end: string): boolean => moduleOf(parameter).endsWith(end);
  for (const end of modulesToSave) {
    const found = parameters.filter(parameter => matches(parameter, end));
    if (tiedEmbeddings && (found.some(({ kind }) => kind === 'embedding') || 'lm_head'.endsWith(end))) {
      throw usage(
        `modulesToSave: expected modules with weights of their own, got ${end}, whose weights this model uses as embedding and as head`,
        'Train adapters alone, or choose a model whose config.json says "tie_word_embeddings": false.',
      );
    }
    if (found.length === 0) {
      const known = new Set(parameters.map(parameter => moduleOf(parameter).split('.').at(-1)));
      throw usage(`modulesToSave: expected some of ${[...known].join(', ')}, got ${end}`);
    }
    const both = targets.find(target => matches(target, end));
    if (both !== undefined) {
      throw usage(
        `modulesToSave: expected modules without an adapter, got ${end}, which fits ${moduleOf(both)}`,
        'Leave it out of targetModules, or out of modulesToSave.',
      );
    }
  }
  return parameters.filter(parameter => modulesToSave.some(end => matches(parameter, end)));
}

function usage(message: string, hint?: string): TuneError {
  return new TuneError('usage', message, { hint });
}
