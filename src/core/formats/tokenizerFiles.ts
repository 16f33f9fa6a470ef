/** @file What a model brings for its text: the border between model files and the text step. */

/** The contents of tokenizer.json and tokenizer_config.json, or what a GGUF file holds brought into their form. */
export interface TokenizerFiles {
  readonly tokenizerJson: unknown;
  readonly tokenizerConfig: TokenizerConfig;
}

/** tokenizer_config.json, names as on disk. Special tokens are already resolved to their text. */
export interface TokenizerConfig {
  readonly tokenizer_class?: string | undefined;
  readonly bos_token?: string | undefined;
  readonly eos_token?: string | undefined;
  readonly pad_token?: string | undefined;
  readonly unk_token?: string | undefined;
  readonly add_bos_token?: boolean | undefined;
  readonly add_eos_token?: boolean | undefined;
  /** Whether decoding mends spaces before punctuation; false unless the model's own file says otherwise. */
  readonly clean_up_tokenization_spaces?: boolean | undefined;
  readonly chat_template?: string | undefined;
  /** End tokens of generation_config.json beyond `eos_token`. */
  readonly extra_eos_token_ids?: readonly number[] | undefined;
}
