/**
 * @file A byte-level tokenizer -> llama.cpp's name for how it cuts text before its merges: the name whose patterns are
 * its own, otherwise one under which a text made to tell them apart gets the same tokens.
 */
import { TuneError } from '../../../shared/errors.ts';
import { byteLevelComponent } from '../../formats/byteLevel.ts';
import type { TokenizerFiles } from '../../formats/tokenizerFiles.ts';
import { createTokenizer, type TextTokenizer } from '../../text/tokenizer.ts';
import type { JsonObject } from '../readJsonFile.ts';
import { ggufPreTokenizers, type PreTokenizerKind } from './ggufPreTokenizers.ts';

/** Numbers, contractions, scripts, signs, line ends and spaces: where the known ways to cut differ. */
export const tellingTexts: readonly string[] = [
  "I've 1234567 reasons, THEY'LL say it's 3.14159; don't  you?\n\n\n\t x = [1, 2];  // done\r\n",
  'Größe ÉCOLE naïve  Ελληνικά Кириллица עברית العربية हिन्दी ไทย 한국어 日本語テスト 漢字2024年、終わり。',
  'camelCaseHTTPServer snake_case_99 $$$ <=> ^~| `tick` #tag @user a/b\\c "quoted" (x)(y)!!! 😀👍🏽 ½ ² ①',
  '   leading, trailing   \n  next\n\n',
];

/** @throws TuneError `model-unsupported` when no name fits */
export function findPreTokenizerName(files: TokenizerFiles, tokenizer: TextTokenizer): string {
  const json = files.tokenizerJson as JsonObject;
  const model = json.model as JsonObject;
  const patterns = JSON.stringify(listPatterns(json.pre_tokenizer));
  const ignoresMerges = model.ignore_merges === true;
  const kinds = [...ggufPreTokenizers];
  const own = kinds.find(
    ([, kind]) => JSON.stringify(kind.patterns) === patterns && kind.ignoresMerges === ignoresMerges,
  );
  if (own !== undefined) return own[0];
  const expected = encodeAll(tokenizer);
  const tried = new Set<PreTokenizerKind>();
  for (const [name, kind] of kinds) {
    if (tried.has(kind)) continue;
    tried.add(kind);
    const other = createTokenizer({
      ...files,
      tokenizerJson: {
        ...json,
        pre_tokenizer: makePreTokenizer(kind.patterns),
        model: { ...model, ignore_merges: kind.ignoresMerges },
      },
    });
    if (encodeAll(other) === expected) return name;
  }
  throw new TuneError(
    'model-unsupported',
    'GGUF, tokenizer: expected a way to cut text that llama.cpp has a name for, got another',
    { hint: 'llama.cpp would cut text otherwise. Export a merged Hugging Face folder instead.' },
  );
}

function encodeAll(tokenizer: TextTokenizer): string {
  return JSON.stringify(tellingTexts.map(text => tokenizer.encode(text)));
}

function makePreTokenizer(patterns: readonly string[]): object {
  const splits = patterns.map(Regex => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false }));
  return { type: 'Sequence', pretokenizers: [...splits, byteLevelComponent(false)] };
}

const gpt2Words = ggufPreTokenizers.get('gpt-2')!.patterns[0]!;

/** The patterns of tokenizer.json's `pre_tokenizer`, in GPT-2's and Digits' case those that they stand for. */
function listPatterns(component: unknown): (string | undefined)[] {
  if (typeof component !== 'object' || component === null) return [];
  const part = component as JsonObject;
  switch (part.type) {
    case 'Sequence':
      return (part.pretokenizers as unknown[]).flatMap(listPatterns);
    case 'ByteLevel':
      return part.use_regex === false ? [] : [gpt2Words];
    case 'Digits':
      return part.individual_digits === true ? ['\\p{N}'] : [undefined];
    case 'Split':
      return [(part.pattern as { Regex?: string }).Regex];
    default:
      return [undefined];
  }
}
