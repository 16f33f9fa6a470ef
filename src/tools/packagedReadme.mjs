// @ts-check
/**
 * README.md as the editor shows it for an installed extension: without a repository behind it there is nothing that a
 * relative link could point to, so pictures (the light ones) come along as data and other relative links become plain text.
 */

const picture = /<picture>(?:(?!<\/picture>)[\s\S])*<img alt="([^"]*)" src="([^"]+\.png)">\s*<\/picture>/g;
const relativeLink = /(?<!!)\[([^\]]+)\]\((?![a-z]+:|#)[^)]*\)/g;

/**
 * @param {string} readme
 * @param {(path: string) => Buffer} readFile
 */
export function writePackagedReadme(readme, readFile) {
  return readme
    .replace(relativeLink, '$1')
    .replace(picture, (_, alt, path) => `![${alt}](data:image/png;base64,${readFile(path).toString('base64')})`);
}
