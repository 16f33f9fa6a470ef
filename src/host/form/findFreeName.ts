/** @file A wanted name and those in use -> the name, with the first free number behind it when it is taken. */

export function findFreeName(wanted: string, used: readonly string[]): string {
  if (!used.includes(wanted)) return wanted;
  const stem = wanted.replace(/ \d+$/, '');
  for (let number = 2; ; number++) {
    const name = `${stem} ${number}`;
    if (!used.includes(name)) return name;
  }
}
