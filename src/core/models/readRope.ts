/** @file config.json's rotary settings, spelt as transformers 5 does or as version 4 did, as RopeSettings. */
import type { RopeSettings } from '../nn/rope.ts';
import { longropeAttentionFactor, type RopeScaling, yarnAttentionFactor } from '../nn/ropeScaling.ts';
import {
  type ConfigJson,
  invalidConfig,
  readCount,
  readFlag,
  readObject,
  readPositive,
  unsupportedConfig,
} from './readConfigFields.ts';

export interface RopeOptions {
  readonly headSize: number;
  readonly defaultTheta?: number | undefined;
  /** Some elements of a head may stay unturned (`partial_rotary_factor`). */
  readonly mayBePartial?: boolean | undefined;
}

/**
 * Rotary settings, spelt as transformers 5 does (`rope_parameters`) or as version 4 did (`rope_theta` beside
 * `rope_scaling`, whose `type` was later called `rope_type`).
 */
export function readRope(json: ConfigJson, options: RopeOptions): RopeSettings {
  const parameters = readObject(json, 'rope_parameters') ?? readObject(json, 'rope_scaling') ?? {};
  return readRopeParameters(parameters, json, options);
}

/** @param parameters those of one kind of layer, where they differ by layer */
export function readRopeParameters(
  parameters: ConfigJson,
  json: ConfigJson,
  { headSize, defaultTheta = 10_000, mayBePartial = false }: RopeOptions,
): RopeSettings {
  const theta = readPositive({ rope_theta: parameters.rope_theta ?? json.rope_theta }, 'rope_theta', defaultTheta);
  const partial = parameters.partial_rotary_factor ?? json.partial_rotary_factor ?? 1;
  if (partial !== 1 && !mayBePartial) throw unsupportedConfig('partial_rotary_factor', '1', partial);
  const size = Math.floor(headSize * readPositive({ partial_rotary_factor: partial }, 'partial_rotary_factor'));
  if (size < 2 || size % 2 !== 0 || size > headSize) {
    throw invalidConfig('partial_rotary_factor', `a part of ${headSize} with an even number of elements`, partial);
  }
  return { theta, size, scaling: readScaling(parameters, json, size) };
}

function readScaling(parameters: ConfigJson, json: ConfigJson, size: number): RopeScaling {
  const type = parameters.rope_type ?? parameters.type ?? 'default';
  // Older names of the same thing in Phi-3's configurations.
  const kind = json.model_type === 'phi3' && (type === 'su' || type === 'yarn') ? 'longrope' : type;
  const factor = (): number => readPositive(parameters, 'factor');
  switch (kind) {
    case 'default':
      return { kind: 'none' };
    case 'linear':
      return { kind: 'linear', factor: factor() };
    case 'dynamic':
      return { kind: 'dynamic', factor: factor(), trainedContextTokens: readCount(json, 'max_position_embeddings') };
    case 'llama3':
      return {
        kind: 'llama3',
        factor: factor(),
        lowFrequencyFactor: readPositive(parameters, 'low_freq_factor'),
        highFrequencyFactor: readPositive(parameters, 'high_freq_factor'),
        originalContextTokens: readOriginalContext(parameters, json),
      };
    case 'yarn':
      return readYarn(parameters, json);
    case 'longrope':
      return readLongrope(parameters, json, size);
    default:
      throw unsupportedConfig('rope_type', 'default, linear, dynamic, llama3, yarn or longrope', kind);
  }
}

function readYarn(parameters: ConfigJson, json: ConfigJson): RopeScaling {
  const originalContextTokens = readOriginalContext(parameters, json);
  const factor = readFactor(parameters, json, originalContextTokens);
  const magnitudes = ['mscale', 'mscale_all_dim'].map(field => parameters[field] || undefined);
  const [magnitude, overall] = magnitudes.every(value => value !== undefined)
    ? ['mscale', 'mscale_all_dim'].map(field => readPositive(parameters, field))
    : [];
  const recommended =
    magnitude !== undefined && overall !== undefined
      ? yarnAttentionFactor(factor, magnitude) / yarnAttentionFactor(factor, overall)
      : yarnAttentionFactor(factor);
  return {
    kind: 'yarn',
    factor,
    betaFast: readPositive({ beta_fast: parameters.beta_fast || 32 }, 'beta_fast'),
    betaSlow: readPositive({ beta_slow: parameters.beta_slow || 1 }, 'beta_slow'),
    originalContextTokens,
    truncates: readFlag(parameters, 'truncate', true),
    attentionFactor: readPositive(parameters, 'attention_factor', recommended),
  };
}

function readLongrope(parameters: ConfigJson, json: ConfigJson, size: number): RopeScaling {
  const originalContextTokens = readOriginalContext(parameters, json);
  const factor = readFactor(parameters, json, originalContextTokens);
  return {
    kind: 'longrope',
    shortFactors: readFactors(parameters, 'short_factor', size / 2),
    longFactors: readFactors(parameters, 'long_factor', size / 2),
    originalContextTokens,
    attentionFactor: readPositive(
      parameters,
      'attention_factor',
      longropeAttentionFactor(factor, originalContextTokens),
    ),
  };
}

/** Some models keep the context of pre-training beside the rope's parameters; that one counts. */
function readOriginalContext(parameters: ConfigJson, json: ConfigJson): number {
  const field = 'original_max_position_embeddings';
  return readCount({ [field]: json[field] ?? parameters[field] ?? json.max_position_embeddings }, field);
}

function readFactor(parameters: ConfigJson, json: ConfigJson, originalContextTokens: number): number {
  if ((parameters.factor ?? undefined) !== undefined) return readPositive(parameters, 'factor');
  return readCount(json, 'max_position_embeddings') / originalContextTokens;
}

function readFactors(parameters: ConfigJson, field: string, count: number): number[] {
  const value = parameters[field];
  const isFit = Array.isArray(value) && value.length === count;
  if (isFit && value.every(item => typeof item === 'number' && Number.isFinite(item) && item > 0)) return value;
  throw invalidConfig(field, `a list of ${count} positive numbers`, value);
}
