/**
 * Arithmetic on Windows paths; asks no file system.
 *
 * @module
 */

/** Joins parts with backslashes and resolves `.` and `..`; keeps drive, UNC and device prefixes. */
export function joinWindowsPath(...parts: readonly string[]): string {
  const text = parts.filter((part) => part !== "").join("\\").replaceAll(
    "/",
    "\\",
  );
  const prefix = /^(\\\\[^\\]+\\[^\\]+\\?|[A-Za-z]:\\?|\\)/.exec(text)?.[0] ??
    "";
  const rooted = prefix.endsWith("\\") || prefix.startsWith("\\\\");
  const kept: string[] = [];
  for (const part of text.slice(prefix.length).split("\\")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!rooted) kept.push(part);
  }
  const body = kept.join("\\");
  if (prefix.startsWith("\\\\") && !prefix.endsWith("\\") && body !== "") {
    return `${prefix}\\${body}`;
  }
  return prefix + body || ".";
}

/** True for `C:\…`, `\\server\share` and `\\?\…`. */
export function isAbsoluteWindowsPath(path: string): boolean {
  return /^([A-Za-z]:[\\/]|[\\/]{2})/.test(path);
}

/** The last component, without trailing separators. */
export function windowsBaseName(path: string): string {
  return path.replace(/[\\/]+$/, "").split(/[\\/]/).at(-1) ?? "";
}

/** Everything before the last component, with the separator of a root kept. */
export function windowsDirName(path: string): string {
  return joinWindowsPath(path.replace(/[\\/]+[^\\/]*[\\/]*$/, "\\"));
}
