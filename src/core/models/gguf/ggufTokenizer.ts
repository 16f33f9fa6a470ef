/**
 * @file The tokenizer inside a GGUF file -> TokenizerFiles, in the form that tokenizer.json has for the same model: byte-level
 * BPE (`gpt2`) and SentencePiece (`llama`) vocabularies.
 */
import { TuneError } from '../../../shared/errors.ts';
import type { GgufFile } from '../../formats/gguf.ts';
import type { TokenizerConfig, TokenizerFiles } from '../../formats/tokenizerFiles.ts';
import type { JsonObject } from '../readJsonFile.ts';
import { buildByteLevelTokenizer } from './ggufByteLevelTokenizer.ts';
import { GgufMetadataReader } from './ggufMetadata.ts';
import { buildSentencePieceTokenizer } from './ggufSentencePieceTokenizer.ts';
import { buildPostProcessor, readGgufVocabulary } from './ggufVocabulary.ts';

/** @throws TuneError `tokenizer-invalid` | `model-invalid` | `model-unsupported` */
export function readGgufTokenizer(file: GgufFile): TokenizerFiles {
  const metadata = new GgufMetadataReader(file);
  const model = metadata.readText('tokenizer.ggml.model');
  const vocabulary = readGgufVocabulary(metadata);
  const readFlag = (name: string) => metadata.readBoolean(`tokenizer.ggml.${name}`);
  const toText = (id: number | undefined) => (id === undefined ? undefined : vocabulary.tokens[id]);
  const shared = {
    bos_token: toText(vocabulary.bosId),
    eos_token: toText(vocabulary.eosId),
    pad_token: toText(vocabulary.padId),
    unk_token: toText(vocabulary.unknownId),
    clean_up_tokenization_spaces: false,
    chat_template: metadata.readText('tokenizer.chat_template'),
    extra_eos_token_ids: vocabulary.extraEndIds,
  };
  const finish = (json: JsonObject, tokenizerClass: string, addsBos: boolean): TokenizerFiles => {
    const tokenizerConfig: TokenizerConfig = {
      ...shared,
      tokenizer_class: tokenizerClass,
      add_bos_token: readFlag('add_bos_token') ?? addsBos,
      add_eos_token: readFlag('add_eos_token') ?? false,
    };
    const postProcessor = buildPostProcessor(vocabulary, {
      addsBos: tokenizerConfig.add_bos_token === true,
      addsEos: tokenizerConfig.add_eos_token === true,
    });
    return { tokenizerJson: { ...json, post_processor: postProcessor }, tokenizerConfig };
  };

  switch (model) {
    case 'gpt2': {
      const { tokenizerJson, addsBos } = buildByteLevelTokenizer(metadata, vocabulary);
      return finish(tokenizerJson, 'PreTrainedTokenizerFast', addsBos);
    }
    case 'llama':
      return finish(buildSentencePieceTokenizer(metadata, vocabulary), 'LlamaTokenizer', true);
    default:
      throw new TuneError(
        'model-unsupported',
        `${file.path}: expected a tokenizer of kind gpt2 or llama, got ${model ?? 'none'} in tokenizer.ggml.model`,
        { file: file.path, hint: 'Use the model from its Hugging Face folder, which has tokenizer.json.' },
      );
  }
}
