/** @file A file of lines that another process appends to -> its whole lines as they come. */
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

const pieceBytes = 1024 * 1024;

export class FileTail {
  private readonly path: string;
  private offset: number;
  private rest: Buffer = Buffer.alloc(0);

  /** What is in the file already is no news. */
  constructor(path: string) {
    this.path = path;
    this.offset = existsSync(path) ? statSync(path).size : 0;
  }

  read(): string[] {
    if (!existsSync(this.path)) return [];
    const descriptor = openSync(this.path, 'r');
    try {
      const { size } = fstatSync(descriptor);
      const pieces = [this.rest];
      while (this.offset < size) {
        const piece = Buffer.alloc(Math.min(pieceBytes, size - this.offset));
        this.offset += readSync(descriptor, piece, 0, piece.length, this.offset);
        pieces.push(piece);
      }
      const text = Buffer.concat(pieces);
      const end = text.lastIndexOf(0x0a) + 1;
      this.rest = text.subarray(end);
      return text
        .subarray(0, end)
        .toString('utf8')
        .split('\n')
        .filter(line => line !== '');
    } finally {
      closeSync(descriptor);
    }
  }
}
