/**
 * @file What each engine can do of the hyperparameters: one table for the form, the command line and the check before a run.
 * A setting that is not named here works with both.
 */
import type { Engine } from './engineChoice.ts';
import {
  type HyperparameterName,
  type Hyperparameters,
  hasEffect,
  hyperparameterTable,
  type SettingProblem,
} from './hyperparameters.ts';

export interface EngineLimit {
  readonly allowed: readonly (string | boolean | null)[];
  /** A sentence that says why the other values are not there. */
  readonly reason: string;
  /** What else is allowed while another setting has one of these values. */
  readonly more?: {
    readonly setting: HyperparameterName;
    readonly values: readonly string[];
    readonly allowed: EngineLimit['allowed'];
  };
}

export const engineLimits: Readonly<Record<Engine, Partial<Record<HyperparameterName, EngineLimit>>>> = {
  embedded: {
    precision: {
      allowed: ['auto', 'float32'],
      reason:
        'The embedded engine computes in 32 bit on the CPU; on another device, chosen by name, products may be in float16.',
      more: { setting: 'device', values: ['webgpu', 'dml', 'coreml'], allowed: ['float16'] },
    },
    gradientCheckpointing: {
      allowed: [false],
      reason: 'The embedded engine runs layer by layer where memory is short, which saves more.',
    },
    launcher: { allowed: ['python'], reason: 'The embedded engine runs one process on one machine.' },
  },
  pytorch: {
    device: {
      allowed: ['auto', 'cpu'],
      reason: 'PyTorch finds CUDA, ROCm or Metal by itself; the other devices belong to the embedded engine.',
    },
  },
};

/** What an engine can do of a setting, as the others are; undefined: all of it. */
export function findLimit(
  engine: Engine,
  name: HyperparameterName,
  values: Readonly<Partial<Record<HyperparameterName, unknown>>>,
): Pick<EngineLimit, 'allowed' | 'reason'> | undefined {
  const limit = engineLimits[engine][name];
  const { more } = limit ?? {};
  if (limit === undefined || more === undefined) return limit;
  const isMore = (more.values as readonly unknown[]).includes(values[more.setting]);
  return { allowed: isMore ? [...limit.allowed, ...more.allowed] : limit.allowed, reason: limit.reason };
}

/** The settings that this engine cannot do as they are, each with the reason. */
export function findEngineProblems(engine: Engine, values: Hyperparameters): SettingProblem[] {
  return (Object.keys(engineLimits[engine]) as HyperparameterName[]).flatMap(name => {
    const { allowed, reason } = findLimit(engine, name, values)!;
    const value = values[name];
    if (!hasEffect(name, values) || (allowed as readonly unknown[]).includes(value)) return [];
    const label = engine === 'pytorch' ? 'PyTorch' : 'embedded';
    const expected = allowed.map(String).join(' or ');
    return [{ name, message: `expected ${expected} with the ${label} engine, got ${String(value)}. ${reason}` }];
  });
}

/** As `Objective`, for sentences. */
export function nameSetting(name: string): string {
  return Object.hasOwn(hyperparameterTable, name) ? hyperparameterTable[name as HyperparameterName].label : name;
}
