/**
 * @file A model and a run's settings -> how many times faster this machine multiplies as integers, if the choice of base
 * weights hangs on it. Measured once for each machine and set of shapes, and kept in the user's folder.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { TuneError } from '../../../shared/errors.ts';
import type { Hyperparameters } from '../../../shared/hyperparameters.ts';
import type { Model } from '../../models/findArchitecture.ts';
import { readJson, writeJson } from '../../runs/jsonFile.ts';
import { ensureUserStateFolder } from '../../runs/processRegistry.ts';
import { findStepType } from '../../train/findStepType.ts';
import { listProductShapes, measureSpeedup, type ProductShape } from '../../train/measureProducts.ts';
import { describeMachine } from './runSpeeds.ts';

/** Smaller models train in minutes anyhow, and their products are too small to gain. */
const smallestElements = 32 * 2 ** 20;

const fileName = 'integer-speedups.json';
const speedupsSchema = z.record(z.string(), z.number().positive());

/** Undefined where nothing hangs on it, or where it is not known and must not be measured. */
export async function findIntegerSpeedup(
  model: Model,
  settings: Pick<Hyperparameters, 'method' | 'baseWeights' | 'batchRows' | 'contextTokens' | 'threads'>,
  mayMeasure: boolean,
): Promise<number | undefined> {
  if (settings.baseWeights !== 'auto' || settings.method !== 'lora' || isSmall(model)) return undefined;
  const shapes = listProductShapes(model);
  const tokens = settings.batchRows * settings.contextTokens;
  const threads = settings.threads ?? 0;
  const key = describeMeasurement(shapes, tokens, threads);
  try {
    const file = join(ensureUserStateFolder(), fileName);
    const known = readSpeedups(file);
    if (known[key] !== undefined) return known[key];
    if (!mayMeasure) return undefined;
    const stepType = await findStepType();
    const speedup = await measureSpeedup(shapes, { tokens, threads, stepType }, () => performance.now());
    writeJson(file, { ...known, [key]: speedup }, false);
    return speedup;
  } catch (error) {
    // Without an engine or a folder of the user's own the run fails where it needs them, and says why.
    if (error instanceof TuneError) return undefined;
    throw error;
  }
}

function isSmall({ architecture, config }: Model): boolean {
  const linear = architecture
    .describeParameters(config)
    .layers.flat()
    .filter(({ kind }) => kind === 'linear');
  return linear.reduce((sum, { shape }) => sum + shape[0]! * shape[1]!, 0) < smallestElements;
}

/** Whatever changes the outcome: the processor, the program with its library, the shapes. */
function describeMeasurement(shapes: readonly ProductShape[], tokens: number, threads: number): string {
  const products = shapes.map(({ out, inner, terms, count }) => `${count}*${out}x${inner}/${terms}`).join(' ');
  return [describeMachine(threads), `${tokens} rows`, products].join(', ');
}

/** A file that is missing, torn or of another version is measured anew. */
function readSpeedups(file: string): Readonly<Record<string, number>> {
  try {
    return readJson(file, speedupsSchema);
  } catch (error) {
    if (error instanceof TuneError) return {};
    throw error;
  }
}
