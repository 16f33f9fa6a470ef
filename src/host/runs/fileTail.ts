/** @file A growing text file -> the lines added since the last look. */
import { open } from 'node:fs/promises';

const maxReadBytes = 4 * 1024 * 1024;
const newline = 0x0a;

export interface TailRead {
  /** Whole lines, without their ends. */
  lines: string[];
  /** The file was replaced or shortened: what was read before no longer stands. */
  restarted: boolean;
}

/**
 * Follows one file. The offset only ever moves past whole lines, so that a torn last line is read again when it is
 * complete, and cutting it off changes nothing.
 */
export class FileTail {
  private offset = 0;
  private inode: bigint | undefined;

  constructor(readonly path: string) {}

  async read(): Promise<TailRead> {
    let file: Awaited<ReturnType<typeof open>>;
    try {
      file = await open(this.path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return this.restart();
      throw error;
    }
    try {
      const { size, ino } = await file.stat({ bigint: true });
      const replaced = (this.inode !== undefined && this.inode !== ino) || Number(size) < this.offset;
      const restarted = replaced && this.offset > 0;
      if (replaced) this.offset = 0;
      this.inode = ino;
      return { lines: await this.readLines(file, Number(size)), restarted };
    } finally {
      await file.close();
    }
  }

  private restart(): TailRead {
    const restarted = this.offset > 0;
    this.offset = 0;
    this.inode = undefined;
    return { lines: [], restarted };
  }

  private async readLines(file: Awaited<ReturnType<typeof open>>, size: number): Promise<string[]> {
    const lines: string[] = [];
    while (this.offset < size) {
      const buffer = Buffer.alloc(Math.min(size - this.offset, maxReadBytes));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, this.offset);
      const end = buffer.subarray(0, bytesRead).lastIndexOf(newline) + 1;
      if (end === 0) {
        // No line end within the largest read: a line that long is none of ours.
        if (bytesRead === maxReadBytes) this.offset += bytesRead;
        if (bytesRead < maxReadBytes) break;
        continue;
      }
      this.offset += end;
      for (const line of buffer.toString('utf8', 0, end - 1).split('\n')) lines.push(line.replace(/\r$/, ''));
    }
    return lines;
  }
}
