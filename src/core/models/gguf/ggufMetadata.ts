/** @file Typed look-ups in a GGUF file's metadata, with file, key and value in every error. */
import { TuneError } from '../../../shared/errors.ts';
import type { GgufFile } from '../../formats/gguf.ts';
import type { GgufValue } from '../../formats/ggufCursor.ts';

export class GgufMetadataReader {
  readonly path: string;
  private readonly file: GgufFile;

  constructor(file: GgufFile) {
    this.file = file;
    this.path = file.path;
  }

  has(key: string): boolean {
    return this.file.metadata.has(key);
  }

  readText(key: string): string | undefined {
    const value = this.file.metadata.get(key);
    if (value === undefined || typeof value === 'string') return value;
    return this.fail(key, 'text', value);
  }

  readBoolean(key: string): boolean | undefined {
    const value = this.file.metadata.get(key);
    if (value === undefined || typeof value === 'boolean') return value;
    return this.fail(key, 'true or false', value);
  }

  readNumber(key: string): number | undefined {
    const value = this.file.metadata.get(key);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    return this.fail(key, 'a number', value);
  }

  /** A number, or a list of flags stored as such or as zeros and ones. */
  readFlagsOrNumber(key: string): number | readonly boolean[] | undefined {
    const value = this.file.metadata.get(key);
    if (value === undefined || typeof value === 'number') return value;
    if (typeof value !== 'object') return this.fail(key, 'a number or flags', value);
    return Array.from(value, flag => {
      if (flag === true || flag === 1) return true;
      return flag === false || flag === 0 ? false : this.fail(key, 'flags', value);
    });
  }

  /** A whole number from 1 on, small enough for a dimension of a model. A list of one repeated number counts as it. */
  readCount(key: string): number | undefined {
    const value = this.file.metadata.get(key);
    if (value === undefined) return undefined;
    const [first, ...others] = typeof value === 'object' ? [...value] : [value];
    if (typeof first === 'number' && Number.isInteger(first) && first > 0 && first < 2 ** 31) {
      if (others.every(other => other === first)) return first;
      return this.fail(key, 'one count for all layers', value);
    }
    return this.fail(key, 'a count', value);
  }

  requireCount(key: string): number {
    return this.readCount(key) ?? this.fail(key, 'a count', undefined);
  }

  /** A token's number below `vocabularySize`. */
  readTokenId(key: string, vocabularySize: number): number | undefined {
    const value = this.file.metadata.get(key);
    // Some converters write -1 or 2^32 - 1 for "none".
    if (value === undefined || value === -1 || value === 0xffffffff) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < vocabularySize) return value;
    return this.fail(key, `a token below ${vocabularySize}`, value);
  }

  readTexts(key: string): readonly string[] | undefined {
    const value = this.file.metadata.get(key);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every(item => typeof item === 'string')) return value;
    return this.fail(key, 'a list of texts', value);
  }

  readNumbers(key: string): ArrayLike<number> | undefined {
    const value = this.file.metadata.get(key);
    if (value === undefined) return undefined;
    if (ArrayBuffer.isView(value)) return value;
    if (Array.isArray(value) && value.every(item => typeof item === 'number')) return value;
    return this.fail(key, 'a list of numbers', value);
  }

  fail(key: string, expected: string, value: GgufValue | undefined): never {
    throw new TuneError('model-invalid', `${this.path}: expected ${expected} in ${key}, got ${describe(value)}`, {
      file: this.path,
      hint: 'The file is incomplete or was converted wrongly: convert or download it again.',
    });
  }
}

function describe(value: GgufValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'object') return `a list of ${value.length}`;
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : String(value);
}
