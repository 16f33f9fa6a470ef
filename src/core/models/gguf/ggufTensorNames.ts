/**
 * @file GGUF's tensor names -> Hugging Face's, the rows of Llama's query and key projections back in the order that Hugging
 * Face has them.
 *
 * llama.cpp's rotary embedding turns neighbouring pairs (2i, 2i + 1) of a head, Hugging Face's the pairs (i, i + D/2); its
 * converter therefore interleaves the two halves of each head's rows, which is undone here.
 * @see https://github.com/ggml-org/llama.cpp (convert_hf_to_gguf.py, LlamaModel.permute)
 */
import type { RowRange, TensorInfo, TensorSource } from '../../formats/tensorSource.ts';
import type { GgufArchitecture } from './ggufArchitectures.ts';

const modelParts: ReadonlyMap<string, string> = new Map([
  ['token_embd', 'model.embed_tokens'],
  ['output_norm', 'model.norm'],
  ['output', 'lm_head'],
]);

/** Hugging Face's name, or undefined for a tensor that is no weight of the model (such as rope_freqs). */
export function toHuggingFaceName(ggufName: string, architecture: GgufArchitecture): string | undefined {
  const layer = /^blk\.(\d+)\.(.+)\.(weight|bias)$/.exec(ggufName);
  if (layer) {
    const part = architecture.layerParts.get(layer[2]!);
    return part && `model.layers.${layer[1]}.${part}.${layer[3]}`;
  }
  const top = /^(.+)\.(weight|bias)$/.exec(ggufName);
  const part = top && modelParts.get(top[1]!);
  return part ? `${part}.${top[2]}` : undefined;
}

/** GGUF's name of a parameter by its name of Hugging Face; undefined where the architecture has no such tensor. */
export function toGgufName(name: string, architecture: GgufArchitecture): string | undefined {
  const layer = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name);
  const parts = layer ? architecture.layerParts : modelParts;
  const [, module, kind] = layer ? layer.slice(1) : ['', ...(/^(.+)\.(weight|bias)$/.exec(name)?.slice(1) ?? [])];
  const part = [...parts].find(([, known]) => known === module)?.[0];
  if (part === undefined) return undefined;
  return layer ? `blk.${layer[1]}.${part}.${kind}` : `${part}.${kind}`;
}

/** Rows of a query or key projection as llama.cpp's converter stores them: the halves of each head interleaved. */
export function interleaveHeads(values: Float32Array, rows: number, heads: number): Float32Array {
  const [width, headRows] = [values.length / rows, rows / heads];
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    result.set(values.subarray(row * width, (row + 1) * width), toInterleavedRow(row, headRows) * width);
  }
  return result;
}

/** The rows back in Hugging Face's order. */
export function deinterleaveHeads(values: Float32Array, rows: number, heads: number): Float32Array {
  const [width, headRows] = [values.length / rows, rows / heads];
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const from = toInterleavedRow(row, headRows) * width;
    result.set(values.subarray(from, from + width), row * width);
  }
  return result;
}

export interface HeadCounts {
  readonly queryHeads: number;
  readonly keyValueHeads: number;
}

/** The tensors of a GGUF file under Hugging Face's names and in its layout. Owns `stored`. */
export class RenamedGgufTensors implements TensorSource {
  readonly names: readonly string[];
  private readonly stored: TensorSource;
  private readonly storedNames: ReadonlyMap<string, string>;
  private readonly heads: HeadCounts | undefined;

  /** @param architecture undefined for one that is not known: its tensors keep their names */
  constructor(stored: TensorSource, architecture: GgufArchitecture | undefined, heads: HeadCounts) {
    const storedNames = new Map<string, string>();
    for (const storedName of stored.names) {
      const name = architecture ? toHuggingFaceName(storedName, architecture) : storedName;
      if (name !== undefined) storedNames.set(name, storedName);
    }
    this.stored = stored;
    this.storedNames = storedNames;
    this.heads = architecture?.hasInterleavedHeads ? heads : undefined;
    this.names = [...storedNames.keys()];
  }

  info(name: string): TensorInfo {
    return { ...this.stored.info(this.toStored(name)), name };
  }

  readFloat32(name: string): Float32Array {
    const whole = this.stored.readFloat32(this.toStored(name));
    const headRows = this.countHeadRows(name);
    if (headRows === undefined) return whole;
    const rows = this.info(name).shape[0]!;
    return deinterleaveHeads(whole, rows, rows / headRows);
  }

  readFloat32Rows(name: string, firstRow: number, rowCount: number): Float32Array {
    const headRows = this.countHeadRows(name);
    if (headRows === undefined) return this.stored.readFloat32Rows(this.toStored(name), firstRow, rowCount);
    const pieces: Float32Array[] = [];
    for (let row = firstRow; row < firstRow + rowCount; row++) {
      pieces.push(this.stored.readFloat32Rows(this.toStored(name), toInterleavedRow(row, headRows), 1));
    }
    const rowElements = pieces[0]?.length ?? 0;
    const result = new Float32Array(rowCount * rowElements);
    pieces.forEach((piece, i) => {
      result.set(piece, i * rowElements);
    });
    return result;
  }

  readBytes(name: string, rows?: RowRange): Uint8Array {
    const headRows = this.countHeadRows(name);
    if (headRows === undefined) return this.stored.readBytes(this.toStored(name), rows);
    const whole = this.stored.readBytes(this.toStored(name));
    const rowCount = this.info(name).shape[0]!;
    const rowBytes = whole.byteLength / rowCount;
    const { first, count } = rows ?? { first: 0, count: rowCount };
    const result = new Uint8Array(count * rowBytes);
    for (let row = 0; row < count; row++) {
      const from = toInterleavedRow(first + row, headRows) * rowBytes;
      result.set(whole.subarray(from, from + rowBytes), row * rowBytes);
    }
    return result;
  }

  close(): void {
    this.stored.close();
  }

  /** A name that is not there goes through, so that the reader below names it in its error. */
  private toStored(name: string): string {
    return this.storedNames.get(name) ?? name;
  }

  /** Rows of one head when this tensor's rows are interleaved. */
  private countHeadRows(name: string): number | undefined {
    const projection = /\.self_attn\.([qk])_proj\.(?:weight|bias)$/.exec(name)?.[1];
    if (!this.heads || !projection) return undefined;
    const heads = projection === 'q' ? this.heads.queryHeads : this.heads.keyValueHeads;
    return this.info(name).shape[0]! / heads;
  }
}

/** Where row j D/2 + i of a head (j 0 or 1) stands when its halves are interleaved: 2 i + j. */
function toInterleavedRow(row: number, headRows: number): number {
  const inHead = row % headRows;
  const halfRows = headRows / 2;
  const interleaved = inHead < halfRows ? inHead * 2 : (inHead - halfRows) * 2 + 1;
  return row - inHead + interleaved;
}
