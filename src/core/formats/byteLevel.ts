/** @file Byte-level BPE's alphabet, as GPT-2 chose it: a printable character stands for each byte. */

/** The character of each byte: printable Latin-1 characters stand for themselves, the others for 256 and up. */
export const byteCharacters: readonly string[] = listByteCharacters();

function listByteCharacters(): string[] {
  const isPrintable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
}

/** The component of tokenizer.json that goes between text and this alphabet. @param splitsWords as GPT-2's pattern does */
export function byteLevelComponent(splitsWords: boolean): object {
  return { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: splitsWords };
}
