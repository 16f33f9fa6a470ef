/**
 * @file A text -> its language, or undefined where it is too short or not clear. Scripts of one language decide by
 * themselves; languages in Latin and Cyrillic letters by their most frequent short words.
 */

const scripts: readonly [string, RegExp][] = [
  ['ja', /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ['ko', /\p{Script=Hangul}/gu],
  ['zh', /\p{Script=Han}/gu],
  ['el', /\p{Script=Greek}/gu],
  ['he', /\p{Script=Hebrew}/gu],
  ['ar', /\p{Script=Arabic}/gu],
  ['hi', /\p{Script=Devanagari}/gu],
  ['bn', /\p{Script=Bengali}/gu],
  ['ta', /\p{Script=Tamil}/gu],
  ['th', /\p{Script=Thai}/gu],
];

const words: Readonly<Record<string, string>> = {
  en: 'the of and to in is that for it with as was on are be this by or from have not an at which you can has will your should may if when an he she they we our their his her these those who what how do does about into than been other more some there',
  de: 'der die das und ist in den von zu mit sich des auf für nicht ein eine als auch es an werden aus er hat dass sie nach bei wird wie oder sind',
  fr: 'le la les de des et un une est en que qui dans pour pas sur au par plus ce avec sont il elle vous nous ou se cette être du',
  es: 'el la los las de y en que un una es por con no se para del al lo como más su este esta son puede pero o si está',
  it: 'il lo la gli di e che un una è per in con non si del della dei sono come più anche ma nel alla le da questo essere',
  pt: 'o a os as de e que um uma é para em com não se do da dos das no na por mais como mas ao ou são pode você está',
  nl: 'de het een en van in is dat op te zijn met voor niet aan er ook als bij door wordt uit kan deze naar maar of om je',
  sv: 'och att det som en är på för av med den till inte om har ett vi kan men från så eller var ska när du',
  da: 'og at det er en som på for af med den til ikke har et kan men fra så eller var skal når du der de',
  pl: 'i w na z do się że nie to jest o jak po od za przez dla są ale czy może lub oraz być tym które',
  cs: 'a v na se je že to s z do o pro jako za by ale jsou nebo který která které může být když jeho',
  tr: 've bir bu için ile da de olarak olan gibi daha çok en kadar sonra ne ya veya değil var her ise ama',
  id: 'yang dan di dari ini untuk dengan itu pada tidak adalah dalam akan juga atau ke oleh bisa anda ada saat',
  ro: 'și în de la cu este pe un o care nu din pentru mai sunt ce să se ca au fi sau dar prin',
  fi: 'ja on ei se että oli ovat hän joka mutta kun niin kuin myös tai voi sen jos olla ole',
  hu: 'a az és hogy nem is egy van meg csak de ha már vagy mint volt ez azt lehet kell',
  vi: 'và của là có không cho được một các trong người với để này khi đã từ những thể bạn',
  ru: 'и в не на что с по как это к из у за от для но он она они или так же бы может при если',
  uk: 'і в не на що з як це до та у за від для але він вона вони або так же може при якщо є',
};

const languagesByWord = new Map<string, string[]>();
for (const [language, list] of Object.entries(words)) {
  // One Latin letter says nothing: English text is full of the "a" that is Hungarian's article.
  for (const word of list.split(' ').filter(one => !/^[a-z]$/.test(one)))
    languagesByWord.set(word, [...(languagesByWord.get(word) ?? []), language]);
}

/** The most frequent short words of a language, which say nothing of what a text is about; none where it is not known. */
export function listFunctionWords(language: string | undefined): ReadonlySet<string> {
  return new Set(language === undefined ? [] : words[language]?.split(' '));
}

const fewestLetters = 12;
const fewestWords = 3;
const readCharacters = 4000;

export function detectLanguage(text: string): string | undefined {
  const start = text.slice(0, readCharacters).normalize('NFC').toLowerCase();
  const letters = start.match(/\p{L}/gu)?.length ?? 0;
  for (const [language, expression] of scripts) {
    const own = start.match(expression)?.length ?? 0;
    // Japanese is told by its kana among Chinese characters, which carry more of the text.
    if (own > 0 && own >= (language === 'ja' ? 0.15 : 0.4) * letters && letters >= 4) return language;
  }
  return letters < fewestLetters ? undefined : detectByWords(start);
}

function detectByWords(text: string): string | undefined {
  const scores = new Map<string, number>();
  let known = 0;
  for (const word of text.match(/\p{L}+/gu) ?? []) {
    const languages = languagesByWord.get(word);
    if (languages === undefined) continue;
    known++;
    for (const language of languages) scores.set(language, (scores.get(language) ?? 0) + 1 / languages.length);
  }
  const [best, second] = [...scores].sort((a, b) => b[1] - a[1]);
  if (best === undefined || known < fewestWords) return undefined;
  return best[1] >= 1.25 * (second?.[1] ?? 0) ? best[0] : undefined;
}
