/** @file An adapter that training is to go on from -> the settings that it brings, or why it cannot be gone on from. */
import { TuneError } from '../../shared/errors.ts';
import { type Hyperparameters, hyperparametersSchema } from '../../shared/hyperparameters.ts';
import type { Adapter } from './readAdapter.ts';

/** Settings that the adapter decides, whatever was asked for. */
export const adoptedNames = [
  'method',
  'rank',
  'alpha',
  'rsLora',
  'dora',
  'adaLora',
  'targetModules',
  'layersToTransform',
  'modulesToSave',
] as const;
type Adopted = Pick<Hyperparameters, (typeof adoptedNames)[number]>;

/** @throws TuneError `adapter-invalid` for an adapter that no such settings make */
export function adoptSettings({ path, pairs, config }: Adapter): Adopted {
  const first = pairs[0]!;
  const uneven = pairs.find(({ rank, scale }) => rank !== first.rank || scale !== first.scale);
  if (uneven !== undefined) {
    throw refuse(
      path,
      `rank ${first.rank} and scale ${first.scale} in every layer, as in ${first.module}`,
      uneven.module,
    );
  }
  const targets = new Set(pairs.map(({ module }) => module.split('.').at(-1)!));
  const layers = new Set(pairs.map(({ module }) => /\.layers\.(\d+)\./.exec(module)?.[1] ?? ''));
  if (pairs.length !== targets.size * layers.size || layers.has('')) {
    throw refuse(path, 'the same linear layers in every block with adapters', `${pairs.length} of them`);
  }
  const rsLora = config?.use_rslora ?? false;
  const adopted = {
    method: 'lora' as const,
    rank: first.rank,
    // What scale and rank say, whatever patterns the configuration has.
    alpha: first.scale * (rsLora ? Math.sqrt(first.rank) : first.rank),
    rsLora,
    dora: config?.use_dora ?? false,
    adaLora: false,
    targetModules: [...targets],
    layersToTransform: (config?.layers_to_transform ?? null) === null ? [] : [...layers],
    modulesToSave: [...(config?.modules_to_save ?? [])],
  };
  for (const name of adoptedNames) {
    const value: unknown = adopted[name];
    const parsed = hyperparametersSchema.shape[name].safeParse(value);
    if (!parsed.success) throw refuse(path, `a ${name} that can be trained here`, JSON.stringify(value));
  }
  return adopted as Adopted;
}

function refuse(path: string, expected: string, got: string): TuneError {
  return new TuneError('adapter-invalid', `${path}: expected ${expected}, got ${got}`, {
    file: path,
    hint: 'Training cannot go on from this adapter. Train a new one on top of it: --stack instead of --adapter.',
  });
}
