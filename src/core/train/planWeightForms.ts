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

const narrowModules: ReadonlySet<string> = new Set(['k_proj', 'v_proj']);

/** -1 for what is in no block. */
function numberOfLayer(name: string): number {
  return Number(/\.layers\.(\d+)\./.exec(name)?.[1] ?? -1);
}

/**
 * Linear layers as integers; embedding and head stay floats, and so does what gains little and rounds badly:
 * - the last block, whose rounding no later one takes up: half of what rounding does to the loss, for one block of many,
 *   most of which is computed at supervised positions alone;
 * - narrow k_proj and v_proj of grouped heads: one product of floats costs what two of integers do, and v has the largest error.
 */
export function planIntegerForms(
  frozen: readonly ParameterInfo[],
  stepType: StepType,
): ReadonlyMap<string, IntegerForm> {
  const last = Math.max(...frozen.map(({ name }) => numberOfLayer(name)));
  const isNarrow = ({ name, shape }: ParameterInfo): boolean =>
    narrowModules.has(name.split('.').at(-2)!) && 2 * shape[0]! <= shape[1]!;
  const linear = frozen.filter(
    weight => weight.kind === 'linear' && numberOfLayer(weight.name) !== last && !isNarrow(weight),
  );
  const countTerms = (name: string): 1 | 2 => (evenModules.has(name.split('.').at(-2)!) ? 1 : 2);
  return new Map(linear.map(({ name }) => [name, { kind: 'integer', terms: countTerms(name), stepType }]));
}

/** What may lie in another form than floats: linear weights, the embedding and the head. */
export function listMatrices({ architecture, config }: Model): ParameterInfo[] {
  const { embedding, layers, head } = architecture.describeParameters(config);
  return [...new Set([embedding, ...layers.flat().filter(({ kind }) => kind === 'linear'), head])];
}
