/**
 * Random identifiers, as the recordings show them: numbered by appearance.
 *
 * @module
 */

import { isJsonObject, type Json } from "../../base/json.ts";
import { scsiControllerIds } from "../../bridge/places.ts";

const guid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** Service ids that name vsock ports. */
const service = /-facb-11e6-bd58-64006a7986d3$/i;

/**
 * Replaces random GUIDs by `<guid-N>`, in values and in names of members.
 *
 * @param json What we gave; its members in the order in which things happened.
 * @param given Text whose GUIDs are data: the input of the case.
 */
export function numberIds(json: Json, given: string): Json {
  const known = new Set([
    ...scsiControllerIds,
    ...given.match(guid)?.map((id) => id.toLowerCase()) ?? [],
  ]);
  const numbers = new Map<string, string>();
  const replace = (text: string): string =>
    text.replace(guid, (found) => {
      const id = found.toLowerCase();
      if (known.has(id) || service.test(id)) return found;
      const number = numbers.get(id) ?? `<guid-${numbers.size}>`;
      numbers.set(id, number);
      return number;
    });
  const visit = (value: Json): Json => {
    if (typeof value === "string") return replace(value);
    if (Array.isArray(value)) return value.map(visit);
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        replace(name),
        visit(member),
      ]),
    );
  };
  return visit(json);
}
