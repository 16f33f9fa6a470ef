/** @file A model's name -> what turns texts into vectors with it: its weights in floats, without a decoding session. */
import { type OpenModelOptions, openModel } from '../../models/openModel.ts';
import { type LoadOptions, loadResidentModel } from '../residentModel.ts';
import { type EmbedOptions, embedTexts } from './embedTexts.ts';
import type { Vectors } from './vectors.ts';

export type Embedder = (texts: readonly string[], options?: EmbedOptions) => Promise<Vectors>;

/** @throws TuneError as `openModel` and `loadResidentModel`; AbortError when cancelled */
export async function openEmbedder(
  model: string,
  models: OpenModelOptions,
  options: Omit<LoadOptions, 'weights'> = {},
): Promise<Embedder> {
  const opened = await openModel(model, models);
  try {
    const resident = await loadResidentModel(opened, { ...options, weights: 'float' });
    return (texts, embedOptions) => embedTexts(resident, texts, embedOptions);
  } finally {
    opened.close();
  }
}
