/** @file Frozen weights, where they are stored, and the base weights asked for -> the form of each frozen weight. */
import type { BaseWeights } from '../../shared/hyperparameters.ts';
import type { TensorSource } from '../formats/tensorSource.ts';
import { findBlockForm } from '../formats/weightBlocks.ts';
import type { ParameterInfo } from '../models/architecture.ts';
import type { Model } from '../models/findArchitecture.ts';
import type { IntegerForm, StepType, WeightForm, WeightForms } from '../models/weightForm.ts';

/**
 * The forms of frozen matrices; those that the result does not name are float.
 * @param stepType for `8bit` what this machine multiplies exactly: see findStepType
 * @param source for `4bit` one that rounds what is stored in floats: see QuantizedTensors
 */
export function planWeightForms(
  frozen: readonly ParameterInfo[],
  source: TensorSource,
  baseWeights: BaseWeights | 'auto',
  stepType: StepType = 'int8',
): WeightForms {
  switch (baseWeights) {
    case 'auto':
    case 'float32':
      return new Map();
    case '4bit':
      return new Map(
        frozen.flatMap(({ name }): [string, WeightForm][] => {
          const form = findBlockForm(source.info(name).dtype);
          return form ? [[name, { kind: 'blocks', ...form }]] : [];
        }),
      );
    case '8bit':
      return planIntegerForms(frozen, stepType);
  }
}

/**
 * Modules whose x is even enough for 255 steps a row. What the others read (behind the attention's norm, and between the
 * halves of the feed-forward block) has single elements a hundred times larger than the rest: it is given in two terms.
 * Measured on SmolLM2 (test/bench/README.md); a module of another name is given in two terms as well.
 */
const evenModules: ReadonlySet<string> = new Set(['o_proj', 'gate_proj', 'up_proj', 'gate_up_proj']);

/** Every linear layer as integers; embedding and head stay floats. */
export function planIntegerForms(
  frozen: readonly ParameterInfo[],
  stepType: StepType,
): ReadonlyMap<string, IntegerForm> {
  const linear = frozen.filter(({ kind }) => kind === 'linear');
  const countTerms = (name: string): 1 | 2 => (evenModules.has(name.split('.').at(-2)!) ? 1 : 2);
  return new Map(linear.map(({ name }) => [name, { kind: 'integer', terms: countTerms(name), stepType }]));
}

/** What may lie in another form than floats: linear weights, the embedding and the head. */
export function listMatrices({ architecture, config }: Model): ParameterInfo[] {
  const { embedding, layers, head } = architecture.describeParameters(config);
  return [...new Set([embedding, ...layers.flat().filter(({ kind }) => kind === 'linear'), head])];
}
