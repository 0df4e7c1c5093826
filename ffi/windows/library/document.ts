/**
 * Reading the answers of Windows' services: names are matched without regard to
 * case, as their own clients do, and anything may be missing or of a wrong type.
 *
 * @module
 */

import { isJsonObject, type Json } from "../../../base/json.ts";

/** The member of this name: the exact name first, then one that differs in case only. */
export function member(
  value: Json | undefined,
  name: string,
): Json | undefined {
  if (!isJsonObject(value)) return undefined;
  if (Object.hasOwn(value, name)) return value[name];
  const lower = name.toLowerCase();
  const key = Object.keys(value).find((key) => key.toLowerCase() === lower);
  return key === undefined ? undefined : value[key];
}

/** A text member; empty when it is missing or no text. */
export function textMember(value: Json | undefined, name: string): string {
  const found = member(value, name);
  return typeof found === "string" ? found : "";
}

/** A number member; undefined when it is missing or no number. */
export function numberMember(
  value: Json | undefined,
  name: string,
): number | undefined {
  const found = member(value, name);
  return typeof found === "number" ? found : undefined;
}

/** The elements of a list member; empty when it is missing or no list. */
export function listMember(
  value: Json | undefined,
  name: string,
): readonly Json[] {
  const found = member(value, name);
  return Array.isArray(found) ? found : [];
}

/** The texts of a list member; what is no text is left out. */
export function textsMember(
  value: Json | undefined,
  name: string,
): readonly string[] {
  return listMember(value, name).filter((element) =>
    typeof element === "string"
  );
}
