// How far a reader came in each chapter: kept beside the answers, under the chapter's number.
import { keep, recall } from "./answers.js";

/**
 * The place where a reader last was, a heading's name, whether they ever came to the chapter's end,
 * and when that was, in milliseconds.
 * @typedef {{ place: string, isRead: boolean, when: number }} Reading
 */

const fits = (/** @type {any} */ given) =>
  typeof given?.place === "string" &&
  typeof given.isRead === "boolean" &&
  Number.isFinite(given.when);

/**
 * Return how far a chapter was read, or null.
 * @param {string} chapter its number, in two digits
 * @returns {Reading | null}
 */
export const readingOf = (chapter) => recall(chapter, fits)?.given ?? null;

/**
 * Keep where the reader is. A chapter that was read stays read.
 * @param {string} chapter
 * @param {string} place
 * @param {boolean} isAtEnd
 */
export function keepPlace(chapter, place, isAtEnd) {
  const before = readingOf(chapter);
  const isRead = isAtEnd || before?.isRead === true;
  keep(chapter, { given: { place, isRead, when: Date.now() } });
}

/**
 * Return which of some chapters was read last, and where; null if none was.
 * @param {string[]} chapters
 */
export function lastRead(chapters) {
  const found = chapters.flatMap((chapter) => {
    const reading = readingOf(chapter);
    return reading ? [{ chapter, ...reading }] : [];
  });
  return found.sort((one, other) => other.when - one.when)[0] ?? null;
}

/**
 * Return the address of the place where a reader was in a chapter.
 * @param {string} chapter its page's
 * @param {Reading | null} reading
 */
export const addressOf = (chapter, reading) =>
  reading?.place ? `${chapter}#${encodeURIComponent(reading.place)}` : chapter;
