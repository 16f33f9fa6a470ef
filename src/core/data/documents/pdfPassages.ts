/**
 * @file A PDF -> the paragraphs of its pages, by PDF.js (as unpdf bundles it, without canvas or fonts). Lines are joined again
 * where a word was divided; a gap wider than the lines of a paragraph ends it. Nothing in the file is run.
 */
import { getDocumentProxy } from 'unpdf';
import { TuneError } from '../../../shared/errors.ts';
import type { Passage } from './passage.ts';

const maxPages = 5000;
/** A step down the page of more than so many line heights begins a paragraph. */
const paragraphGap = 1.6;

/** @throws TuneError `dataset-unreadable`; AbortError when cancelled */
export async function readPdf(file: string, bytes: Uint8Array, signal?: AbortSignal): Promise<Passage[]> {
  const opened = await open(file, bytes);
  try {
    if (opened.numPages > maxPages) {
      throw refuse(file, `at most ${maxPages} pages`, `${opened.numPages}`);
    }
    const passages: Passage[] = [];
    for (let page = 1; page <= opened.numPages; page++) {
      signal?.throwIfAborted();
      for (const text of await readPage(file, opened, page)) passages.push({ text, lines: null, page });
    }
    return passages;
  } finally {
    await opened.loadingTask.destroy();
  }
}

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;

async function open(file: string, bytes: Uint8Array): Promise<Pdf> {
  try {
    return await getDocumentProxy(bytes, {
      disableFontFace: true,
      useSystemFonts: false,
      stopAtErrors: false,
      verbosity: 0,
    });
  } catch (error) {
    throw refuse(file, 'a PDF that can be opened', error instanceof Error ? error.message : String(error), error);
  }
}

async function readPage(file: string, pdf: Pdf, number: number): Promise<string[]> {
  try {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    page.cleanup();
    return joinLines(items.flatMap(item => ('str' in item ? [item] : [])));
  } catch (error) {
    throw refuse(file, `text on page ${number}`, error instanceof Error ? error.message : String(error), error);
  }
}

interface TextPiece {
  readonly str: string;
  readonly transform: readonly number[];
  readonly height: number;
  readonly hasEOL: boolean;
}

/** Paragraphs in the order in which the page draws them. */
export function joinLines(pieces: readonly TextPiece[]): string[] {
  const paragraphs: string[] = [];
  let held = '';
  let line = '';
  let lineY: number | undefined;
  let previousY: number | undefined;
  let height = 0;
  const endLine = (): void => {
    const text = line.replace(/\s+/g, ' ').trim();
    line = '';
    if (text === '' || lineY === undefined) return;
    const isFar = previousY !== undefined && Math.abs(previousY - lineY) > paragraphGap * Math.max(height, 1);
    if (isFar && held !== '') {
      paragraphs.push(held);
      held = '';
    }
    const isDivided = /\p{Ll}[-\u00ad]$/u.test(held) && /^\p{Ll}/u.test(text);
    held = isDivided ? held.slice(0, -1) + text : held === '' ? text : `${held} ${text}`;
    previousY = lineY;
    lineY = undefined;
  };
  for (const { str, transform, height: pieceHeight, hasEOL } of pieces) {
    if (str.trim() !== '') {
      const y = transform[5] ?? 0;
      if (lineY !== undefined && Math.abs(y - lineY) > 0.5 * Math.max(pieceHeight, 1)) endLine();
      lineY ??= y;
      height = pieceHeight || height;
    }
    line += str;
    if (hasEOL) endLine();
  }
  endLine();
  if (held !== '') paragraphs.push(held);
  return paragraphs;
}

function refuse(file: string, expected: string, got: string, cause?: unknown): TuneError {
  return new TuneError('dataset-unreadable', `${file}: expected ${expected}, got ${got.slice(0, 200)}`, {
    file,
    hint: 'Documents behind a password cannot be read; print damaged ones into a new PDF, or take their text.',
    cause,
  });
}
