/** @file A model -> its generation_config.json with every token at which answers end, so that other programs stop there too. */
import { createTokenizer } from '../text/tokenizer.ts';
import type { OpenModel } from './openedModel.ts';

export function completeGenerationConfig({ generationConfig, tokenizer }: OpenModel): Record<string, unknown> {
  const { eosTokenIds, bosTokenId, padTokenId } = createTokenizer(tokenizer);
  const known = generationConfig ?? { bos_token_id: bosTokenId ?? undefined, pad_token_id: padTokenId };
  if (eosTokenIds.length === 0) return { ...known };
  return { ...known, eos_token_id: eosTokenIds.length === 1 ? eosTokenIds[0] : eosTokenIds };
}
