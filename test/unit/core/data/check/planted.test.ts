import { describe, expect, it } from 'vitest';
import { detectLanguage } from '../../../../../src/core/data/check/detectLanguage.ts';
import { hasMarkup, stripMarkup } from '../../../../../src/core/data/check/markup.ts';
import { hasLostCharacters, mendMojibake } from '../../../../../src/core/data/check/mojibake.ts';
import { findNearDuplicates } from '../../../../../src/core/data/check/nearDuplicates.ts';
import { findPersonalData, maskPersonalData } from '../../../../../src/core/data/check/personalData.ts';
import { personalDataKinds } from '../../../../../src/shared/cleaning.ts';

/** A small generator of the same numbers each time. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const vocabulary = Array.from(
  { length: 600 },
  (_, i) =>
    `${'bcdfglmnprst'[i % 12]}${'aeiou'[i % 5]}${'klmnrst'[i % 7]}${'aeio'[(i >> 2) % 4]}${i % 17 === 0 ? 'ing' : ''}`,
);

/** @returns precision and recall of what was found among what is there */
function judge(found: ReadonlySet<string>, planted: ReadonlySet<string>): { precision: number; recall: number } {
  const right = [...found].filter(one => planted.has(one)).length;
  return { precision: right / found.size, recall: right / planted.size };
}

describe('near duplicates', () => {
  it.each([0.7, 0.8, 0.9])(
    'are found at similarity %s with precision and recall of at least 0.95',
    async similarity => {
      const random = makeRandom(7);
      const sentence = (length: number) => Array.from({ length }, () => vocabulary[random(vocabulary.length)]!);
      const texts: string[] = [];
      const planted = new Set<string>();
      for (let n = 0; n < 400; n++) {
        const base = sentence(12 + random(60));
        texts.push(base.join(' '));
        if (n % 2 === 0) {
          // A few changed words, well within the similarity; case and punctuation do not count.
          const copy = [...base];
          const changes = Math.floor(((1 - similarity) / 4) * copy.length);
          for (let c = 0; c < changes; c++) copy[random(copy.length)] = vocabulary[random(vocabulary.length)]!;
          planted.add(`${texts.length}`);
          texts.push(copy.join(', ').toUpperCase());
        } else {
          // The same beginning, but far from equal.
          texts.push([...base.slice(0, Math.floor(base.length / 3)), ...sentence(base.length)].join(' '));
        }
      }
      const near = await findNearDuplicates(texts, { similarity });
      const found = new Set(near.flatMap((one, i) => (one === undefined ? [] : [String(i)])));
      const { precision, recall } = judge(found, planted);
      expect(precision).toBeGreaterThanOrEqual(0.95);
      expect(recall).toBeGreaterThanOrEqual(0.95);
      for (const one of near) if (one !== undefined) expect(one.similarity).toBeGreaterThanOrEqual(similarity);
    },
  );

  it('gives the same whatever else stands in between, and can be cancelled', async () => {
    const texts = ['one two three four five', 'six seven eight nine ten', 'One two, three four five.'];
    expect(await findNearDuplicates(texts, { similarity: 0.8 })).toEqual([
      undefined,
      undefined,
      { of: 0, similarity: 1 },
    ]);
    const signal = AbortSignal.abort();
    await expect(
      findNearDuplicates(Array.from({ length: 400 }, String), { similarity: 0.8, signal }),
    ).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});

describe('personal data', () => {
  const real: readonly [string, string][] = [
    ...['mara.lind@example.org', 'o+tag@mail.example.co.uk', 'jürgen@bücher.example', 'A_B-C@sub.example.com'].map(
      text => ['email', text] as [string, string],
    ),
    ...[
      '+49 30 1234567',
      '(212) 555-0187',
      '212-555-0187',
      '+1 415 555 0134',
      '030 / 123 45 678',
      '0171-2345678',
      '13812345678',
      '+86 138 1234 5678',
      '+44 (0)20 7946 0958',
      '01 23 45 67 89',
    ].map(text => ['phone', text] as [string, string]),
    ...['4111 1111 1111 1111', '5500-0000-0000-0004', '378282246310005', '6011000990139424', '4012888888881881'].map(
      text => ['card', text] as [string, string],
    ),
    ...[
      'DE89 3704 0044 0532 0130 00',
      'GB29NWBK60161331926819',
      'FR14 2004 1010 0505 0001 3M02 606',
      'NL91ABNA0417164300',
    ].map(text => ['iban', text] as [string, string]),
    ...['192.168.4.17', '8.8.4.4', '2001:db8:85a3::8a2e:370:7334', 'fe80::1ff:fe23:4567:890a'].map(
      text => ['ip', text] as [string, string],
    ),
    ...[
      '536-22-1847',
      '11010519491231002X',
      '12345678Z',
      'AB 12 34 56 C',
      'RSSMRA85T10A562S',
      '1 85 05 78 006 084 91',
    ].map(text => ['nationalId', text] as [string, string]),
  ];
  const harmless = [
    '2024-11-05 12:30',
    '10.12.2024',
    '1990-1995',
    '3.14159265',
    '1,234,567,890',
    '4111 1111 1111 1112',
    'DE89 3704 0044 0532 0130 01',
    'version 1.2.3.4',
    '999.1.2.3',
    'ISBN 978-3-16-148410-0',
    'at 12:30:45',
    'std::vector',
    '000-12-3456',
    '12345678A',
    '110105194912310021',
    '100 000 000 000',
    '1/2/2020',
    'order 1000200030004000',
    'chapter 4.2.1',
    'a@b',
    '@handle',
    'RSSMRA85T10A562X',
    '2 x 3 x 4 = 24',
    '1000000',
    '0.05 mg',
    '10-20-30',
    '5-7 days',
    '123456789012',
    'PMID 12345678',
    'NM_000059.3',
  ];
  const frames = ['Write to {} please.', 'It is {}.', '({})', 'Before {} and after.', '联系：{}。', '{}'];

  it('is found with precision and recall of at least 0.95, of the right kind', () => {
    const [planted, found] = [new Set<string>(), new Set<string>()];
    for (const [frame, index] of frames.map((text, i) => [text, i] as const)) {
      for (const [kind, text] of real) {
        planted.add(`${index} ${text} ${kind}`);
        const whole = frame.replace('{}', text);
        for (const { kind, start, end } of findPersonalData(whole, personalDataKinds))
          found.add(`${index} ${whole.slice(start, end)} ${kind}`);
      }
      for (const text of harmless) {
        for (const { kind, start, end } of findPersonalData(frame.replace('{}', text), personalDataKinds))
          found.add(`${index} harmless ${text} ${kind} ${start} ${end}`);
      }
    }
    const { precision, recall } = judge(found, planted);
    const wrong = [...found].filter(one => !planted.has(one));
    const missed = [...planted].filter(one => !found.has(one));
    expect(precision, `wrong: ${wrong.join('; ')}`).toBeGreaterThanOrEqual(0.95);
    expect(recall, `missed: ${missed.join('; ')}`).toBeGreaterThanOrEqual(0.95);
  });

  it('is masked by kind and leaves the rest as it is', () => {
    const text = 'Mail mara@example.org or call +49 30 1234567, card 4111 1111 1111 1111.';
    expect(maskPersonalData(text, personalDataKinds)).toBe('Mail [EMAIL] or call [PHONE], card [CARD].');
    expect(maskPersonalData(text, ['email'])).toBe('Mail [EMAIL] or call +49 30 1234567, card 4111 1111 1111 1111.');
  });
});

describe('mojibake', () => {
  const texts = [
    'Das Café in Zürich öffnet später.',
    'Où est l’hôtel “Étoile”?',
    'naïve façade – déjà vu…',
    '价格是多少？十五元。',
    'Привет, как дела?',
    'Ελληνικά κείμενα εδώ',
    '10 € für 5 ½ Stück',
    'smile 😀 please',
    'El niño comió piña mañana',
    'Łódź jest piękna, więc przyjdź',
    '日本語のテキスト',
    'Grüße aus Köln',
  ];
  const honest = [
    'CAFÉ–BAR',
    'Ä“ und Ö”',
    'São Paulo',
    'Ångström Å',
    'Ça va',
    'ÉÈÀ',
    'Ñandú',
    'À la carte',
    'Die „Ä“-Note',
    '«Île»',
    'Ü',
    'prix : 5 €',
    'Â',
    'Ã',
    'Tôi là người Việt Nam',
    'x² ± y³',
    '100 °C',
    'Müller & Söhne',
    'Straße',
    'coöperatie',
  ];
  const special = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';
  const asLatin = (text: string) => Buffer.from(text).toString('latin1');
  const misread = (text: string) => asLatin(text).replace(/[\u0080-\u009f]/g, c => special[c.charCodeAt(0) - 0x80]!);

  it('is found and mended with precision and recall of at least 0.95, twice over too', () => {
    const broken = texts.flatMap(text => [
      misread(text),
      misread(misread(text)),
      asLatin(text),
      asLatin(asLatin(text)),
    ]);
    const mended = broken.filter((text, i) => mendMojibake(text) === texts[i >> 2]);
    const left = [...honest, ...texts].filter(text => mendMojibake(text) === text);
    expect(
      mended.length / broken.length,
      broken.filter(text => !mended.includes(text)).join('; '),
    ).toBeGreaterThanOrEqual(0.95);
    const precision = mended.length / (mended.length + honest.length + texts.length - left.length);
    expect(precision, [...honest, ...texts].filter(text => !left.includes(text)).join('; ')).toBeGreaterThanOrEqual(
      0.95,
    );
  });

  it('tells characters that are lost for good', () => {
    expect(['caf\ufffd', '锟斤拷', misread('caf\ufffd')].map(hasLostCharacters)).toEqual([true, true, true]);
    expect(texts.some(hasLostCharacters)).toBe(false);
  });
});

describe('HTML', () => {
  it.each([
    ['<p>One</p><p>Two &amp; three</p>', 'One\n\nTwo & three'],
    ['A<br/>B <b>bold</b> <a href="x">link</a>', 'A\nB bold link'],
    ['<ul><li>first</li><li>second</li></ul>', '- first\n- second'],
    ['<script>alert(1 < 2)</script>Text<!-- note -->', 'Text'],
    ['5 &lt; 6 &#8364; &#x2014; &nbsp;end', '5 < 6 € —  end'],
    ['Write `<b>` for bold: <b>so</b>', 'Write `<b>` for bold: so'],
  ])('%s becomes %s', (text, plain) => {
    expect(hasMarkup(text)).toBe(true);
    expect(stripMarkup(text)).toBe(plain);
  });

  it.each([
    'a < b and c > d',
    'x<y',
    'AT&T',
    '<my-custom> tag',
    'if (a<b && c>d)',
    '`<div>`',
    '```html\n<p>x</p>\n```',
    'R&D; more',
    '<3',
  ])('leaves %s alone', text => {
    expect(hasMarkup(text)).toBe(false);
    expect(stripMarkup(text)).toBe(text);
  });
});

describe('detectLanguage', () => {
  it.each([
    ['en', 'The museum is open on every day of the week, but you should book a guide.'],
    ['de', 'Das Museum ist an jedem Tag der Woche geöffnet, aber Sie sollten sich für eine Führung anmelden.'],
    ['fr', 'Le musée est ouvert tous les jours de la semaine, mais vous devez réserver une visite avec un guide.'],
    ['es', 'El museo está abierto todos los días de la semana, pero se debe reservar una visita con un guía.'],
    ['it', 'Il museo è aperto tutti i giorni della settimana, ma si deve prenotare una visita con la guida.'],
    ['pt', 'O museu está aberto todos os dias da semana, mas você deve reservar uma visita com um guia.'],
    ['nl', 'Het museum is op elke dag van de week open, maar je moet een rondleiding met een gids boeken.'],
    [
      'pl',
      'Muzeum jest otwarte przez cały tydzień, ale trzeba się zapisać na zwiedzanie z przewodnikiem, które jest dla grup.',
    ],
    ['ru', 'Музей открыт каждый день, но для экскурсии нужно записаться, так как она может быть занята.'],
    ['zh', '博物馆每天开放，但是参观需要预约。'],
    ['ja', '博物館は毎日開いていますが、見学には予約が必要です。'],
    ['ko', '박물관은 매일 열려 있습니다.'],
    ['ar', 'المتحف مفتوح كل يوم من أيام الأسبوع'],
    ['el', 'Το μουσείο είναι ανοιχτό κάθε μέρα'],
    [undefined, 'OK'],
    [undefined, 'x = [1, 2, 3]'],
  ])('says %s of %s', (language, text) => {
    expect(detectLanguage(text)).toBe(language);
  });
});
