/** @file A text -> whether HTML stands in it, and the text without. Code in backticks is left alone. */

const names =
  'a|abbr|article|aside|b|big|blockquote|body|br|button|caption|center|cite|code|col|dd|div|dl|dt|em|embed|figcaption|figure|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|label|li|link|main|meta|nav|noscript|ol|option|p|pre|q|s|script|section|select|small|span|strike|strong|style|sub|sup|table|tbody|td|textarea|tfoot|th|thead|title|tr|tt|u|ul|video|wbr';
const tag = new RegExp(
  `</?(?:${names})(?:\\s+[a-z_:@][\\w:.-]*(?:\\s*=\\s*(?:"[^"<]*"|'[^'<]*'|[^\\s"'<>=]+))?)*\\s*/?>|<!--[\\s\\S]*?-->|<!doctype[^<>]*>`,
  'i',
);
const allTags = new RegExp(tag.source, 'gi');
const entity = /&(?:[a-z]{2,8}|#\d{1,7}|#x[0-9a-f]{1,6});/gi;
const removedWhole = /<(script|style|noscript)\b[^<>]*>[\s\S]*?<\/\1\s*>/gi;
const code = /```[\s\S]*?(?:```|$)|`[^`\n]+`/g;

const entities: ReadonlyMap<string, string> = new Map(
  Object.entries({
    amp: '&',
    lt: '<',
    gt: '>',
    quot: '"',
    apos: "'",
    nbsp: ' ',
    ensp: ' ',
    emsp: ' ',
    thinsp: ' ',
    ndash: '–',
    mdash: '—',
    hellip: '…',
    lsquo: '‘',
    rsquo: '’',
    ldquo: '“',
    rdquo: '”',
    laquo: '«',
    raquo: '»',
    bull: '•',
    middot: '·',
    copy: '©',
    reg: '®',
    trade: '™',
    deg: '°',
    plusmn: '±',
    times: '×',
    divide: '÷',
    frac12: '½',
    frac14: '¼',
    sup2: '²',
    sup3: '³',
    micro: 'µ',
    para: '¶',
    sect: '§',
    euro: '€',
    pound: '£',
    cent: '¢',
    yen: '¥',
    auml: 'ä',
    ouml: 'ö',
    uuml: 'ü',
    Auml: 'Ä',
    Ouml: 'Ö',
    Uuml: 'Ü',
    szlig: 'ß',
    eacute: 'é',
    egrave: 'è',
    ecirc: 'ê',
    agrave: 'à',
    aacute: 'á',
    acirc: 'â',
    ccedil: 'ç',
    iacute: 'í',
    oacute: 'ó',
    uacute: 'ú',
    ntilde: 'ñ',
    alpha: 'α',
    beta: 'β',
    gamma: 'γ',
    delta: 'δ',
    mu: 'μ',
    pi: 'π',
    le: '≤',
    ge: '≥',
    ne: '≠',
    larr: '←',
    rarr: '→',
    shy: '',
  }),
);

export function hasMarkup(text: string): boolean {
  if (!/[<&]/.test(text)) return false;
  return outsideCode(text).some(part => tag.test(part) || decodeEntities(part) !== part);
}

export function stripMarkup(text: string): string {
  if (!hasMarkup(text)) return text;
  let stripped = '';
  let behind = 0;
  for (const { index, 0: kept } of text.matchAll(code)) {
    stripped += stripPart(text.slice(behind, index)) + kept;
    behind = index + kept.length;
  }
  return (stripped + stripPart(text.slice(behind)))
    .replace(/[ \t]+\n/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function outsideCode(text: string): string[] {
  return text.split(code);
}

function stripPart(text: string): string {
  const plain = text.replace(removedWhole, ' ').replace(allTags, found => {
    if (/^<li\b/i.test(found)) return '\n- ';
    if (/^<(?:td|th)\b/i.test(found)) return '\t';
    return /^<\/?(?:p|div|br|tr|h[1-6]|ul|ol|table|section|article|blockquote|dl|dt|hr)\b/i.test(found) ? '\n' : '';
  });
  return decodeEntities(plain);
}

/** Names that are not known stay as they are. */
export function decodeEntities(text: string): string {
  return text.replace(entity, found => {
    const name = found.slice(1, -1);
    if (!name.startsWith('#')) return entities.get(name) ?? entities.get(name.toLowerCase()) ?? found;
    const value = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    const isCharacter = value >= 32 && value <= 0x10ffff && !(value >= 0xd800 && value <= 0xdfff);
    return isCharacter ? String.fromCodePoint(value) : value === 9 || value === 10 ? ' ' : found;
  });
}
