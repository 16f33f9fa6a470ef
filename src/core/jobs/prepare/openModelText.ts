/** @file A model -> what turns text into its tokens; its weights stay where they are. */
import { nameFile } from '../../models/nameFile.ts';
import type { OpenModel } from '../../models/openedModel.ts';
import { type ChatTemplate, createChatTemplate } from '../../text/chatTemplate.ts';
import { createTokenizer, type TextTokenizer } from '../../text/tokenizer.ts';

export interface ModelText {
  readonly tokenizer: TextTokenizer;
  readonly template: ChatTemplate;
}

/** @throws TuneError `tokenizer-invalid` | `template-invalid` */
export function openModelText(model: OpenModel): ModelText {
  return nameFile(model.path, () => {
    const tokenizer = createTokenizer(model.tokenizer);
    const specialTokens = [...tokenizer.specialTokens.keys()];
    const template = createChatTemplate({ config: model.tokenizer.tokenizerConfig, specialTokens });
    return { tokenizer, template };
  });
}
