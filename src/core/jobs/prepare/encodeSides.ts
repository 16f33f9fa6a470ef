/** @file A model and the examples of a split -> token rows of both sides, as training sees them. */

import type { Hyperparameters } from '../../../shared/hyperparameters.ts';
import type { Example } from '../../data/example.ts';
import type { OpenModel } from '../../models/openedModel.ts';
import { type EncodeReport, encodeExamples } from '../../text/encodeExamples.ts';
import type { EncodedRow } from '../../text/packedBatch.ts';
import { type ModelText, openModelText } from './openModelText.ts';

export interface EncodedSides extends ModelText {
  readonly train: readonly EncodedRow[];
  readonly heldOut: readonly EncodedRow[];
  /** 2 in preference tuning, where a chosen and a rejected answer follow each other. */
  readonly rowsPerExample: 1 | 2;
  /** Over the training rows. */
  readonly report: EncodeReport;
}

/** @throws TuneError `tokenizer-invalid` | `template-invalid` | `dataset-invalid` */
export function encodeSides(
  model: OpenModel,
  sides: { readonly train: readonly Example[]; readonly heldOut: readonly Example[] },
  settings: Pick<Hyperparameters, 'objective' | 'contextTokens' | 'trainOn'>,
  onProgress: (done: number, total: number) => void,
): EncodedSides {
  const { tokenizer, template } = openModelText(model);
  const pairs = settings.objective === 'dpo';
  const { contextTokens, trainOn } = settings;
  const encoding = { tokenizer, template, contextTokens, trainOn, pairs };
  const total = sides.train.length + sides.heldOut.length;
  const train = encodeExamples(sides.train, encoding, done => onProgress(done, total));
  const heldOut = encodeExamples(sides.heldOut, encoding, done => onProgress(sides.train.length + done, total));
  return {
    tokenizer,
    template,
    train: train.rows,
    heldOut: heldOut.rows,
    rowsPerExample: pairs ? 2 : 1,
    report: train.report,
  };
}
