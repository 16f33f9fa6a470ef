/** @file A byte-level BPE vocabulary of a GGUF file (`gpt2`) -> tokenizer.json. */
import { TuneError } from '../../../shared/errors.ts';
import { bpeTokenizerJson } from '../../formats/bpeTokenizerJson.ts';
import { byteLevelComponent } from '../../formats/byteLevel.ts';
import type { JsonObject } from '../readJsonFile.ts';
import type { GgufMetadataReader } from './ggufMetadata.ts';
import { ggufPreTokenizers, type PreTokenizerKind } from './ggufPreTokenizers.ts';
import { type GgufVocabulary, listAddedTokens } from './ggufVocabulary.ts';

export interface ByteLevelTokenizer {
  /** tokenizer.json without its post-processor. */
  readonly tokenizerJson: JsonObject;
  /** Whether a text starts with the begin token when the file does not say. */
  readonly addsBos: boolean;
}

/** @throws TuneError `tokenizer-invalid` | `model-unsupported` */
export function buildByteLevelTokenizer(metadata: GgufMetadataReader, vocabulary: GgufVocabulary): ByteLevelTokenizer {
  const kind = findPreTokenizer(metadata);
  const splits = kind.patterns.map(Regex => ({
    type: 'Split',
    pattern: { Regex },
    behavior: 'Isolated',
    invert: false,
  }));
  const byteLevel = byteLevelComponent(false);
  const tokenizerJson = bpeTokenizerJson({
    addedTokens: listAddedTokens(vocabulary),
    preTokenizer: { type: 'Sequence', pretokenizers: [...splits, byteLevel] },
    decoder: byteLevel,
    tokens: vocabulary.tokens,
    merges: readMerges(metadata),
    ignoresMerges: kind.ignoresMerges,
  });
  return { tokenizerJson, addsBos: kind.addsBos };
}

function findPreTokenizer(metadata: GgufMetadataReader): PreTokenizerKind {
  const name = metadata.readText('tokenizer.ggml.pre') ?? 'default';
  const kind = ggufPreTokenizers.get(name);
  if (kind) return kind;
  throw new TuneError(
    'model-unsupported',
    `${metadata.path}: expected a known way to cut text in tokenizer.ggml.pre, got ${JSON.stringify(name.slice(0, 60))}`,
    { file: metadata.path, hint: 'Use the model from its Hugging Face folder, which has tokenizer.json.' },
  );
}

/** Pairs; the first half may not be empty, so that a token that starts with a space keeps it. */
function readMerges(metadata: GgufMetadataReader): [string, string][] {
  const key = 'tokenizer.ggml.merges';
  const merges = metadata.readTexts(key);
  if (!merges) {
    throw new TuneError('tokenizer-invalid', `${metadata.path}: expected merges in ${key}, got none`, {
      file: metadata.path,
      hint: 'Convert the model again with a current llama.cpp.',
    });
  }
  return merges.map(merge => {
    const space = merge.indexOf(' ', 1);
    if (space > 0) return [merge.slice(0, space), merge.slice(space + 1)];
    throw new TuneError(
      'tokenizer-invalid',
      `${metadata.path}: expected two tokens with a space between in ${key}, got ${JSON.stringify(merge.slice(0, 60))}`,
      { file: metadata.path, hint: 'The file is damaged: download or convert it again.' },
    );
  });
}
