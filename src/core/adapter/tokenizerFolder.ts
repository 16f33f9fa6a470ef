/** @file A tokenizer -> the files that Hugging Face folders keep it in. */
import type { TokenizerFiles } from '../formats/tokenizerFiles.ts';
import type { FileToWrite } from '../train/stagedFolder.ts';

export function jsonFile(name: string, value: unknown): FileToWrite {
  return textFile(name, `${JSON.stringify(value, null, 2)}\n`);
}

export function textFile(name: string, text: string): FileToWrite {
  return { name, pieces: [new TextEncoder().encode(text)] };
}

/** @param chatTemplate the Jinja source that the run was trained with */
export function tokenizerFolderFiles(
  { tokenizerJson, tokenizerConfig }: TokenizerFiles,
  chatTemplate: string,
): FileToWrite[] {
  const { extra_eos_token_ids: _elsewhere, chat_template: _beside, ...config } = tokenizerConfig;
  const special = {
    bos_token: config.bos_token,
    eos_token: config.eos_token,
    pad_token: config.pad_token,
    unk_token: config.unk_token,
  };
  return [
    textFile('tokenizer.json', JSON.stringify(tokenizerJson)),
    jsonFile('tokenizer_config.json', { tokenizer_class: 'PreTrainedTokenizerFast', ...withoutEmpty(config) }),
    jsonFile('special_tokens_map.json', withoutEmpty(special)),
    textFile('chat_template.jinja', chatTemplate),
  ];
}

function withoutEmpty(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined));
}
