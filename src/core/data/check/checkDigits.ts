/** @file Numbers with check digits -> whether they hold: Luhn (ISO/IEC 7812), IBAN (ISO 13616), national identity numbers. */

/** A payment card: a known prefix and length, and Luhn's sum. */
export function isCardNumber(text: string): boolean {
  const digits = text.replace(/\D/g, '');
  const isKnown =
    /^(?:4\d{12}(?:\d{3})?(?:\d{3})?|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|6(?:011|5\d{2}|4[4-9]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|35\d{14}|62\d{14,17})$/.test(
      digits,
    );
  return isKnown && !/^(\d)\1+$/.test(digits) && holdsLuhn(digits);
}

function holdsLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? 2 * digit : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** By country: all characters. */
const ibanLengths: Readonly<Record<string, number>> = Object.fromEntries(
  'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20'
    .split(' ')
    .map(entry => [entry.slice(0, 2), Number(entry.slice(2))]),
);

export function isIban(text: string): boolean {
  const compact = text.replace(/\s/g, '');
  if (compact.length !== ibanLengths[compact.slice(0, 2)]) return false;
  return remainder(toNumbers(compact.slice(4) + compact.slice(0, 4)), 97) === 1;
}

/** Letters as 10 to 35. */
function toNumbers(text: string): string {
  return text.replace(/[A-Z]/g, letter => String(letter.charCodeAt(0) - 55));
}

function remainder(digits: string, divisor: number): number {
  let rest = 0;
  for (const digit of digits) rest = (10 * rest + Number(digit)) % divisor;
  return rest;
}

/** GB 11643: a birth date and a check digit modulo 11. */
export function isChineseId(text: string): boolean {
  if (!/^[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]$/.test(text)) return false;
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const sum = weights.reduce((total, weight, i) => total + weight * Number(text[i]), 0);
  return '10X98765432'[sum % 11] === text[17]!.toUpperCase();
}

/** No check digit; numbers that were never given out are left out. */
export function isUsSocialSecurity(text: string): boolean {
  return !/^(?:000|666|9\d\d)-|-00-|-0000$/.test(text) && text !== '123-45-6789';
}

/** The key is 97 less the rest of the number; Corsica's letters count as 19 and 18. */
export function isFrenchId(text: string): boolean {
  const compact = text.replace(/ /g, '').replace('2A', '19').replace('2B', '18');
  return compact.length === 15 && 97 - remainder(compact.slice(0, 13), 97) === Number(compact.slice(13));
}

export function isSpanishId(text: string): boolean {
  const compact = text.replace('-', '');
  const digits = compact.slice(0, -1).replace('X', '0').replace('Y', '1').replace('Z', '2');
  return 'TRWAGMYFPDXBNJZSQVHLCKE'[Number(digits) % 23] === compact.at(-1);
}

/** The codice fiscale's last letter: odd and even places count differently. */
export function isItalianCode(text: string): boolean {
  const odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
  let sum = 0;
  for (let i = 0; i < 15; i++) {
    const code = text.charCodeAt(i);
    const value = code < 65 ? code - 48 : code - 65;
    sum += i % 2 === 0 ? odd[value]! : value;
  }
  return String.fromCharCode(65 + (sum % 26)) === text[15];
}
