/** @file A model and the examples of a split -> token rows of both sides, as training sees them. */

import type { Hyperparameters } from '../../shared/hyperparameters.ts';
import type { Example } from '../data/example.ts';
import type { OpenModel } from '../models/openedModel.ts';
import { type ChatTemplate, createChatTemplate } from '../text/chatTemplate.ts';
import { type EncodeReport, encodeExamples } from '../text/encodeExample.ts';
import type { EncodedRow } from '../text/packedBatch.ts';
import { createTokenizer, type TextTokenizer } from '../text/tokenizer.ts';

export interface EncodedSides {
  readonly tokenizer: TextTokenizer;
  readonly template: ChatTemplate;
  readonly train: readonly EncodedRow[];
  readonly heldOut: readonly EncodedRow[];
  /** Over the training rows. */
  readonly report: EncodeReport;
}

/** @throws TuneError `tokenizer-invalid` | `template-invalid` | `dataset-invalid` */
export function encodeSides(
  model: OpenModel,
  sides: { readonly train: readonly Example[]; readonly heldOut: readonly Example[] },
  settings: Pick<Hyperparameters, 'contextTokens' | 'trainOn'>,
  onProgress: (done: number, total: number) => void,
): EncodedSides {
  const tokenizer = createTokenizer(model.tokenizer);
  const specialTokens = [...tokenizer.specialTokens.keys()];
  const template = createChatTemplate({ config: model.tokenizer.tokenizerConfig, specialTokens });
  const encoding = { tokenizer, template, contextTokens: settings.contextTokens, trainOn: settings.trainOn };
  const total = sides.train.length + sides.heldOut.length;
  const train = encodeExamples(sides.train, encoding, done => onProgress(done, total));
  const heldOut = encodeExamples(sides.heldOut, encoding, done => onProgress(sides.train.length + done, total));
  return { tokenizer, template, train: train.rows, heldOut: heldOut.rows, report: train.report };
}
