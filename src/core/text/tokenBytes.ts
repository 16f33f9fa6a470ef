/**
 * @file A token id -> the UTF-8 bytes that it stands for. Two families cover the models trained here: byte-level BPE
 * (GPT-2's alphabet of printable stand-ins for bytes) and SentencePiece (U+2581 for a space, `<0xNN>` for a byte).
 * Bytes, not characters, because one character can be spread over several tokens.
 */
import { TuneError } from '../../shared/errors.ts';
import { byteCharacters } from '../formats/byteLevel.ts';

export type TokenFamily = 'byteLevel' | 'sentencePiece';

/** What of tokenizer.json is looked at here; its parts nest. */
interface Component {
  readonly type?: unknown;
  readonly decoders?: unknown;
  readonly pretokenizers?: unknown;
  readonly normalizers?: unknown;
  readonly [key: string]: unknown;
}

/** The parts of a normalizer, pre-tokenizer or decoder, sequences flattened. */
export function listComponents(root: unknown): Component[] {
  if (typeof root !== 'object' || root === null) return [];
  const component = root as Component;
  const children = [component.decoders, component.pretokenizers, component.normalizers].filter(Array.isArray).flat();
  return [component, ...children.flatMap(listComponents)];
}

/** @throws TuneError `tokenizer-invalid` for WordPiece and other families. */
export function findTokenFamily(tokenizerJson: Readonly<Record<string, unknown>>): TokenFamily {
  const parts = [tokenizerJson.decoder, tokenizerJson.pre_tokenizer, tokenizerJson.normalizer].flatMap(listComponents);
  const types = new Set(parts.map(part => part.type));
  if (types.has('ByteLevel')) return 'byteLevel';
  if (types.has('ByteFallback') || types.has('Metaspace') || types.has('Replace')) return 'sentencePiece';
  throw new TuneError(
    'tokenizer-invalid',
    `tokenizer: expected byte-level BPE or SentencePiece, got decoder ${[...types].join(', ') || 'none'}`,
    { hint: 'Choose a model with a Llama, Qwen, Gemma, Mistral or GPT-2 kind of tokenizer.' },
  );
}

const byteOfStandIn: ReadonlyMap<string, number> = new Map(byteCharacters.map((character, byte) => [character, byte]));

const utf8 = new TextEncoder();

/** Bytes of a token of the model's own vocabulary; added tokens are plain text. */
export function readTokenBytes(token: string, family: TokenFamily): Uint8Array {
  if (family === 'byteLevel') {
    const bytes = Array.from(token, character => byteOfStandIn.get(character));
    return bytes.includes(undefined) ? utf8.encode(token) : Uint8Array.from(bytes as number[]);
  }
  const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token);
  return byte ? Uint8Array.of(Number.parseInt(byte[1]!, 16)) : utf8.encode(token.replaceAll('\u2581', ' '));
}

/** Whether decoding drops the space that encoding put before the text. */
export function dropsFirstSpace(tokenizerJson: Readonly<Record<string, unknown>>): boolean {
  return listComponents(tokenizerJson.decoder).some(
    part =>
      (part.type === 'Strip' && part.content === ' ' && Number(part.start) > 0) ||
      (part.type === 'Metaspace' && part.prepend_scheme !== 'never' && part.add_prefix_space !== false),
  );
}
