/** @file config.json -> the architecture that knows how to compute that model. */
import { TuneError } from '../../shared/errors.ts';
import type { Architecture, ModelConfig } from './architecture.ts';
import { gemma2 } from './architectures/gemma2.ts';
import { gemma3Text } from './architectures/gemma3_text.ts';
import { llama } from './architectures/llama.ts';
import { mistral } from './architectures/mistral.ts';
import { olmo2 } from './architectures/olmo2.ts';
import { phi3 } from './architectures/phi3.ts';
import { qwen2 } from './architectures/qwen2.ts';
import { qwen3 } from './architectures/qwen3.ts';
import { smollm3 } from './architectures/smollm3.ts';
import type { WeightForms } from './weightForm.ts';

/** By `model_type`. A new architecture is a file beside this one and a line here. */
const architectures: ReadonlyMap<string, Architecture> = new Map(
  [llama, mistral, qwen2, qwen3, phi3, smollm3, olmo2, gemma2, gemma3Text].map(entry => [entry.modelType, entry]),
);

export interface Model {
  readonly architecture: Architecture;
  readonly config: ModelConfig;
  /** Larger embeddings and heads are kept in shards; 256 MiB unless said otherwise. */
  readonly maxTensorBytes?: number | undefined;
  /** Embedding or head kept in one tensor whatever its size, by name: those that are trained. */
  readonly wholeTables?: ReadonlySet<string> | undefined;
  /** How its weights lie in memory, by parameter name; those that are not named are float. */
  readonly weightForms?: WeightForms | undefined;
}

/** @throws TuneError `model-unsupported` with the name of an architecture that is not known. */
export function findArchitecture(modelType: string): Architecture {
  const architecture = architectures.get(modelType);
  if (architecture) return architecture;
  const known = [...architectures.keys()].join(', ');
  throw new TuneError('model-unsupported', `model: expected one of the architectures ${known}, got ${modelType}`, {
    hint: `Choose a model of a known architecture (${known}), for example SmolLM2 or Llama 3.2.`,
  });
}

/** The model that a parsed config.json describes. */
export function readModel(configJson: unknown): Model {
  if (typeof configJson !== 'object' || configJson === null || Array.isArray(configJson)) {
    throw new TuneError('model-invalid', `config.json: expected an object, got ${JSON.stringify(configJson)}`);
  }
  const json = configJson as Readonly<Record<string, unknown>>;
  const architecture = findArchitecture(String(json.model_type ?? 'nothing'));
  return { architecture, config: architecture.readConfig(json) };
}
