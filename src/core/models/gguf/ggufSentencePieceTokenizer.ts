/**
 * @file A SentencePiece BPE vocabulary of a GGUF file (`llama`) -> tokenizer.json, as transformers converts Llama 2's
 * tokenizer.model: the merges, which the file does not hold, follow from the pieces and their scores. A space is put before
 * every text and after every special token, as SentencePiece and Llama 2's own tokenizer.json do.
 * @see transformers/convert_slow_tokenizer.py (generate_merges)
 */
import { bpeTokenizerJson } from '../../formats/bpeTokenizerJson.ts';
import type { JsonObject } from '../readJsonFile.ts';
import type { GgufMetadataReader } from './ggufMetadata.ts';
import { type GgufVocabulary, listAddedTokens } from './ggufVocabulary.ts';

/** SentencePiece's sign for a space. */
const spaceSign = '▁';
/** Work that finding the merges may take, in characters compared; real vocabularies need a hundredth of it. */
const maxMergeWork = 2 ** 31;

/** tokenizer.json without its post-processor. @throws TuneError `model-invalid` */
export function buildSentencePieceTokenizer(metadata: GgufMetadataReader, vocabulary: GgufVocabulary): JsonObject {
  const addsSpace = metadata.readBoolean('tokenizer.ggml.add_space_prefix') ?? true;
  const replaceSpaces = { type: 'Replace', pattern: { String: ' ' }, content: spaceSign };
  const decoders = [
    { type: 'Replace', pattern: { String: spaceSign }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    ...(addsSpace ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
  ];
  return bpeTokenizerJson({
    addedTokens: listAddedTokens(vocabulary),
    normalizer: {
      type: 'Sequence',
      normalizers: [...(addsSpace ? [{ type: 'Prepend', prepend: spaceSign }] : []), replaceSpaces],
    },
    preTokenizer: null,
    decoder: { type: 'Sequence', decoders },
    tokens: vocabulary.tokens,
    merges: deriveMerges(metadata, vocabulary),
    unknownToken: vocabulary.unknownId === undefined ? undefined : vocabulary.tokens[vocabulary.unknownId],
    fusesUnknown: true,
    fallsBackToBytes: vocabulary.kinds.includes('byte'),
  });
}

/** Every way to join two pieces to a third, those that make the higher-scored piece first. */
function deriveMerges(metadata: GgufMetadataReader, vocabulary: GgufVocabulary): [string, string][] {
  const scores = readScores(metadata, vocabulary.tokens.length);
  const work = vocabulary.tokens.reduce((sum, token) => sum + token.length ** 2, 0);
  if (work > maxMergeWork) metadata.fail('tokenizer.ggml.tokens', 'pieces of text', [...vocabulary.tokens]);
  const ids = new Map<string, number>();
  vocabulary.tokens.forEach((token, id) => {
    if (vocabulary.kinds[id] === 'normal') ids.set(token, id);
  });
  const candidates: { left: string; right: string; score: number; leftId: number; rightId: number }[] = [];
  for (const [piece, id] of ids) {
    const characters = Array.from(piece);
    let left = '';
    for (let i = 0; i < characters.length - 1; i++) {
      left += characters[i];
      const right = piece.slice(left.length);
      const leftId = ids.get(left);
      const rightId = ids.get(right);
      if (leftId === undefined || rightId === undefined) continue;
      candidates.push({ left, right, score: scores[id]!, leftId, rightId });
    }
  }
  candidates.sort((a, b) => b.score - a.score || a.leftId - b.leftId || a.rightId - b.rightId);
  return candidates.map(({ left, right }) => [left, right]);
}

function readScores(metadata: GgufMetadataReader, count: number): ArrayLike<number> {
  const key = 'tokenizer.ggml.scores';
  const scores = metadata.readNumbers(key);
  if (!scores || scores.length !== count) {
    return metadata.fail(key, `${count} scores, one a token`, scores ? Array.from(scores) : undefined);
  }
  return scores;
}
