/**
 * Where this program's own files are.
 *
 * @module
 */

/** Folder of the checkout, without a trailing slash. */
export const projectRoot: string = decodeURIComponent(
  new URL("..", import.meta.url).pathname.slice(0, -1),
);
