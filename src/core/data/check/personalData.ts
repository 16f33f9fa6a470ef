/**
 * @file A text -> the personal data in it. Patterns are narrow and numbers are verified by their check digits (Luhn, ISO 13616,
 * national rules), because a dataset full of false alarms is not looked at.
 */
import { isIP, isIPv6 } from 'node:net';
import type { PersonalDataKind } from '../../../shared/cleaning.ts';
import {
  isCardNumber,
  isChineseId,
  isFrenchId,
  isIban,
  isItalianCode,
  isSpanishId,
  isUsSocialSecurity,
} from './checkDigits.ts';

export interface PersonalData {
  readonly kind: PersonalDataKind;
  readonly start: number;
  readonly end: number;
}

interface Pattern {
  readonly kind: PersonalDataKind;
  readonly expression: RegExp;
  readonly isReal: (found: string, text: string, start: number) => boolean;
}

const letters = /\p{L}/u;

/** Earlier patterns win where two overlap. */
const patterns: readonly Pattern[] = [
  {
    kind: 'email',
    expression:
      /[\p{L}\p{N}][\p{L}\p{N}._%+-]{0,63}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+\p{L}{2,24}/gu,
    isReal: () => true,
  },
  { kind: 'iban', expression: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b/g, isReal: isIban },
  { kind: 'card', expression: /(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-])/g, isReal: isCardNumber },
  { kind: 'nationalId', expression: /(?<!\d)\d{17}[\dXx](?!\d)/g, isReal: isChineseId },
  { kind: 'nationalId', expression: /(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])/g, isReal: isUsSocialSecurity },
  {
    kind: 'nationalId',
    expression: /(?<!\d)[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?!\d)/g,
    isReal: isFrenchId,
  },
  { kind: 'nationalId', expression: /\b(?:\d{8}|[XYZ]\d{7})-?[A-HJ-NP-TV-Z]\b/g, isReal: isSpanishId },
  { kind: 'nationalId', expression: /\b[A-Z]{6}\d{2}[ABCDEHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b/g, isReal: isItalianCode },
  {
    kind: 'nationalId',
    expression: /\b(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b/g,
    isReal: () => true,
  },
  {
    kind: 'ip',
    expression: /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)/g,
    isReal: (found, text, start) => isIP(found) === 4 && !isVersion(text, start) && !/^(?:0|127|255)\./.test(found),
  },
  {
    kind: 'ip',
    expression: /(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])/gi,
    isReal: found =>
      isIPv6(found) && found.replace(/[^0-9a-f]/gi, '').length >= 4 && !/^\d{1,2}(?::\d{2})+$/.test(found),
  },
  {
    kind: 'phone',
    expression: /(?<![\w.,:/#+-])(?:\+|00)?\(?\d(?:[ ()./–-]{0,3}\d){6,14}(?![\w-]|[.,]\d)/g,
    isReal: isPhone,
  },
];

/** What of the wanted kinds stands in the text, in order, without overlap. */
export function findPersonalData(text: string, kinds: readonly PersonalDataKind[]): PersonalData[] {
  if (!/[\d@]/.test(text) && !text.includes('::')) return [];
  const found: PersonalData[] = [];
  for (const { kind, expression, isReal } of patterns) {
    for (const match of text.matchAll(expression)) {
      // A bracket around the whole number is not part of it.
      const opened = match[0].startsWith('(') && !match[0].includes(')') ? 1 : 0;
      const [start, end] = [match.index + opened, match.index + match[0].length];
      if (found.some(other => start < other.end && other.start < end)) continue;
      if (isReal(match[0].slice(opened), text, start)) found.push({ kind, start, end });
    }
  }
  return found.filter(({ kind }) => kinds.includes(kind)).sort((a, b) => a.start - b.start);
}

const masks: Readonly<Record<PersonalDataKind, string>> = {
  email: '[EMAIL]',
  phone: '[PHONE]',
  card: '[CARD]',
  iban: '[IBAN]',
  ip: '[IP]',
  nationalId: '[ID]',
};

export function maskPersonalData(text: string, kinds: readonly PersonalDataKind[]): string {
  let masked = '';
  let behind = 0;
  for (const { kind, start, end } of findPersonalData(text, kinds)) {
    masked += text.slice(behind, start) + masks[kind];
    behind = end;
  }
  return masked + text.slice(behind);
}

function isVersion(text: string, start: number): boolean {
  return /(?:\bv|version|release|build|section|chapter)\.?\s*$/i.test(text.slice(Math.max(0, start - 12), start));
}

const phoneWords =
  /(?:tel(?:ephone|efon|éfono|éphone)?|phone|mobile|mobil|cell|fax|call|ring|dial|whatsapp|rufnummer|电话|手机|電話)\W{0,3}(?:(?:me|us|him|her|at|on|is|number|no|nummer|号|码|:|：|\.)\W{0,3}){0,3}$/iu;

/** International with +, the usual national forms, or any number that is called a telephone number. */
function isPhone(found: string, text: string, start: number): boolean {
  const digits = found.replace(/\D/g, '');
  if (digits.length < 7 || digits.length > 15 || /^(\d)\1+$/.test(digits)) return false;
  if (isDate(found)) return false;
  if (/^\+/.test(found)) return digits.length >= 8;
  const before = text.slice(Math.max(0, start - 32), start);
  if (phoneWords.test(before)) return true;
  if (letters.test(text[start - 1] ?? '')) return false;
  if (/^00[1-9]/.test(found)) return digits.length >= 10 && /[ ()./–-]/.test(found);
  if (/^\(?[2-9]\d{2}\)?[ .-]{1,2}[2-9]\d{2}[ .-]\d{4}$/.test(found)) return true;
  if (/^1[ .-]\(?[2-9]\d{2}\)?[ .-]{1,2}\d{3}[ .-]\d{4}$/.test(found)) return true;
  if (/^1[3-9]\d{9}$/.test(found) || /^1[3-9]\d[ -]\d{4}[ -]\d{4}$/.test(found)) return true;
  return /^\(?0[1-9]/.test(found) && digits.length >= 9 && digits.length <= 12 && /[ ()/–-]/.test(found);
}

function isDate(found: string): boolean {
  return (
    /^(?:19|20)\d{2}[ ./-]\d{1,2}[ ./-]\d{1,2}/.test(found) ||
    /^\d{1,2}[ ./-]\d{1,2}[ ./-](?:19|20)\d{2}/.test(found) ||
    /^(?:1[5-9]|20)\d{2}\s?[-–/]\s?(?:1[5-9]|20)\d{2}/.test(found)
  );
}
