/**
 * @file How a byte-level vocabulary cuts text before its merges, by the name in `tokenizer.ggml.pre`: the patterns of each
 * family's own tokenizer.json.
 * @see https://github.com/ggml-org/llama.cpp (src/llama-vocab.cpp), transformers (gguf_tokenizer_mapping.py)
 */

export interface PreTokenizerKind {
  /** Applied one after the other; what matches and what lies between stand apart. */
  readonly patterns: readonly string[];
  /** A piece that is a token as a whole is taken as it is. */
  readonly ignoresMerges: boolean;
  /** Whether a text starts with the begin token when the file does not say. */
  readonly addsBos: boolean;
}

const contractions = "'s|'t|'re|'ve|'m|'ll|'d";
const ends = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const gpt2Words = `${contractions}| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+`;
const digit = '\\p{N}';

/** Words with at most one leading sign, numbers in groups, signs with their line ends. */
function makeWords(numbers: string): string {
  return `(?i:${contractions})|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${numbers}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${ends}`;
}

/** Words cut where lower case turns into upper case. */
function makeCasedWords(suffix: string, numbers: string): string {
  const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
  const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
  const lead = '[^\\r\\n\\p{L}\\p{N}]?';
  const words = `${lead}${upper}*${lower}+${suffix}|${lead}${upper}+${lower}*${suffix}`;
  return `${words}|${numbers}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${ends}`;
}

function make(patterns: readonly string[], options: Partial<PreTokenizerKind> = {}): PreTokenizerKind {
  return { patterns, ignoresMerges: false, addsBos: false, ...options };
}

const llama3 = make([makeWords('\\p{N}{1,3}')], { ignoresMerges: true, addsBos: true });
const llama3Merging = make([makeWords('\\p{N}{1,3}')]);
const qwen2 = make([makeWords(digit)]);
const gpt2 = make([gpt2Words]);
const singleDigits = make([digit, gpt2Words]);
const cased = make([makeCasedWords(`(?i:${contractions})?`, '\\p{N}{1,3}')]);
const tekken = make([makeCasedWords('', digit)], { ignoresMerges: true, addsBos: true });
const fallback = make(['[\\p{P}\\$\\+<=>\\^~\\|]+', gpt2Words, '\\p{N}+', '[0-9][0-9][0-9]']);
const falcon = make(['[\\p{P}\\$\\+<=>\\^~\\|`]+', gpt2Words, '[0-9][0-9][0-9]']);
const deepseekCoder = make(['[\\r\\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', '[一-龥ࠀ-一가-\uD7FF]+', digit]);
const deepseekV3 = make([
  '\\p{N}{1,3}',
  '[一-龥\u3040-ゟ゠-ヿ]+',
  '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|' +
    ends,
]);
const qwen35 = make([
  `(?i:${contractions})|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${ends}`,
]);
const seedCoder = make([
  `(?i:${contractions})|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|${ends}`,
]);

function name(kind: PreTokenizerKind, ...names: readonly string[]): [string, PreTokenizerKind][] {
  return names.map(each => [each, kind]);
}

export const ggufPreTokenizers: ReadonlyMap<string, PreTokenizerKind> = new Map([
  ...name(fallback, 'default'),
  ...name(llama3, 'llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'falcon-h1', 'pixtral', 'midm-2.0', 'lfm2'),
  ...name(llama3Merging, 'dbrx', 'smaug-bpe', 'glm4', 'chatglm-bpe'),
  ...name(qwen2, 'qwen2', 'deepseek-r1-qwen', 'kormo', 'megrez', 'stablelm2', 'hunyuan', 'solar-open'),
  ...name(qwen35, 'qwen35'),
  ...name(
    gpt2,
    'gpt-2',
    'phi-2',
    'mpt',
    'olmo',
    'jais',
    'trillion',
    'granite-docling',
    'exaone4',
    'gigachat',
    'mellum',
  ),
  ...name(singleDigits, 'smollm', 'starcoder', 'refact', 'command-r', 'codeshell', 'exaone', 'minerva-7b', 'mellum2'),
  ...name(cased, 'gpt-4o', 'llama4', 'kanana2', 'minimax-m2'),
  ...name(tekken, 'tekken'),
  ...name(falcon, 'falcon'),
  ...name(deepseekCoder, 'deepseek-coder'),
  ...name(deepseekV3, 'deepseek-v3', 'hunyuan-dense'),
  ...name(seedCoder, 'seed-coder'),
]);
