/** @file Typed fields out of a config.json, with errors that name the field, what was expected and what stood there. */
import { TuneError } from '../../shared/errors.ts';

export type ConfigJson = Readonly<Record<string, unknown>>;

function describe(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

export function invalidConfig(field: string, expected: string, value: unknown): TuneError {
  return new TuneError('model-invalid', `config.json: expected ${field} to be ${expected}, got ${describe(value)}`, {
    hint: 'The model folder may be damaged: download it again.',
  });
}

export function unsupportedConfig(field: string, expected: string, value: unknown): TuneError {
  return new TuneError('model-unsupported', `config.json: expected ${field} ${expected}, got ${describe(value)}`, {
    hint: 'This variant of the architecture is not supported. Choose another model, for example SmolLM2 or Llama 3.2.',
  });
}

export function readCount(json: ConfigJson, field: string, fallback?: number): number {
  const value = json[field] ?? fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 2 ** 31) {
    throw invalidConfig(field, 'a positive whole number', value);
  }
  return value;
}

export function readPositive(json: ConfigJson, field: string, fallback?: number): number {
  const value = json[field] ?? fallback;
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    throw invalidConfig(field, 'a positive number', value);
  }
  return value;
}

export function readFlag(json: ConfigJson, field: string, fallback: boolean): boolean {
  const value = json[field] ?? fallback;
  if (typeof value !== 'boolean') throw invalidConfig(field, 'true or false', value);
  return value;
}

/** An object, or undefined where the field is missing or null. */
export function readObject(json: ConfigJson, field: string): ConfigJson | undefined {
  const value = json[field] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw invalidConfig(field, 'an object', value);
  return value as ConfigJson;
}
