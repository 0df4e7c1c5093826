/**
 * Keeps responses under the size at which hosts give the bridge up.
 *
 * @module
 */

import { HResult } from "../base/hresult.ts";
import {
  formatJson,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJson,
} from "../base/json.ts";
import { headerSize } from "./frames.ts";

const encoder = new TextEncoder();

/** Characters that texts are cut to, attempt by attempt. */
const budgets = [60_000, 30_000, 14_000, 6_000, 2_500, 1_000, 250] as const;

/** Records of a response that had to be cut; further ones are dropped. */
const maxRecords = 4;

const mark = "… [truncated]";

function cut(value: Json | undefined, budget: number): Json | undefined {
  if (typeof value !== "string" || value.length <= budget) return value;
  return value.slice(0, budget) + mark;
}

/** Sets a member again, if it was there. */
function replace(target: JsonObject, name: string, value: Json | undefined) {
  if (value !== undefined) target[name] = value;
}

function cutTexts(response: JsonObject, budget: number): JsonObject {
  const result = { ...response };
  for (const name of ["ErrorMessage", "GuestStacks"]) {
    replace(result, name, cut(response[name], budget));
  }
  const records = response["ErrorRecords"];
  if (Array.isArray(records)) {
    result["ErrorRecords"] = records.slice(0, maxRecords).map((record) => {
      if (!isJsonObject(record)) return record;
      const shorter = { ...record };
      for (const name of ["Message", "StackTrace"]) {
        replace(shorter, name, cut(record[name], budget));
      }
      return shorter;
    });
  }
  return result;
}

/** Takes the next section out of statistics, those that grow with the machine first. */
const sections: readonly ((metrics: JsonObject) => void)[] = [
  (metrics) => delete metrics["network"],
  (metrics) => metrics["blkio"] &&= {},
  (metrics) => metrics["rdma"] &&= {},
  (metrics) => delete metrics["hugetlb"],
  ({ cpu }) =>
    isJsonObject(cpu) && isJsonObject(cpu["usage"]) &&
    delete cpu["usage"]["per_cpu"],
];

/** The response with fewer and fewer statistics. */
function* fewerStatistics(response: JsonObject): Generator<JsonObject> {
  const text = response["Properties"];
  if (typeof text !== "string") return;
  const properties = parseJson(text, "Properties");
  const metrics = isJsonObject(properties)
    ? properties["LCOWMetrics"]
    : undefined;
  if (!isJsonObject(metrics)) return;
  for (const takeOut of sections) {
    takeOut(metrics);
    yield { ...response, Properties: formatJson(properties) };
  }
}

function* candidates(response: JsonObject): Generator<JsonObject> {
  yield response;
  yield* fewerStatistics(response);
  for (const budget of budgets) yield cutTexts(response, budget);
}

/** Characters of a GUID; whatever is longer is not repeated in an emergency. */
const guidLength = 36;

function tooLarge(response: JsonObject, limit: number): JsonObject {
  const size = headerSize + encoder.encode(formatJson(response)).length;
  const message =
    `Cannot send a response of ${size} bytes over the bridge: the limit is ${limit}`;
  const answer: JsonObject = {
    Result: HResult.Fail | 0,
    ErrorMessage: message,
  };
  const activity = response["ActivityId"];
  if (typeof activity === "string" && activity.length <= guidLength) {
    answer["ActivityId"] = activity;
  }
  return answer;
}

/**
 * The text of a response whose frame does not exceed the limit. Texts for people
 * are cut and statistics left out; a response that is still too large becomes
 * an error, because an oversized frame would cost the whole connection.
 *
 * @param response The encoded response.
 * @param limit Bytes of the frame, with its header.
 */
export function formatResponse(response: JsonObject, limit: number): string {
  for (const candidate of candidates(response)) {
    const text = formatJson(candidate);
    // Three bytes of UTF-8 per UTF-16 unit at most: mostly no need to count.
    if (headerSize + text.length * 3 <= limit) return text;
    if (headerSize + encoder.encode(text).length <= limit) return text;
  }
  return formatJson(tooLarge(response, limit));
}
