/** Where the parts of this installation lie, seen from dist/. */
import { fileURLToPath } from 'node:url';

/** The model that ships with the program. */
export function findTinyModel(): string {
  return fileURLToPath(new URL('../media/tiny', import.meta.url));
}

/** Another program of this installation, such as `trainer`. */
export function findProgram(name: string): string {
  return fileURLToPath(new URL(`./${name}.js`, import.meta.url));
}
