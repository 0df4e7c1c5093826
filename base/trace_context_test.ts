import { assertEquals } from "@std/assert";
import { parseTraceHeaders, traceHeaders } from "./trace_context.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";

Deno.test("parseTraceHeaders() reads a traceparent, and one of a later version", () => {
  const expected = { traceId, spanId };
  for (const version of ["00", "01", "fe"]) {
    const traceparent = `${version}-${traceId}-${spanId}-01`;
    assertEquals(parseTraceHeaders({ traceparent }), expected);
  }
  const traceparent = `01-${traceId}-${spanId}-00-more`;
  assertEquals(parseTraceHeaders({ traceparent }), expected);
});

Deno.test("parseTraceHeaders() reads nothing of what is no traceparent", () => {
  const wrong = [
    "",
    "00",
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${traceId}-${spanId}-1`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${"0".repeat(32)}-${spanId}-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
    `00-${spanId}-${traceId}-01`,
  ];
  for (const traceparent of wrong) {
    assertEquals(parseTraceHeaders({ traceparent }), undefined, traceparent);
  }
  assertEquals(parseTraceHeaders({ tracestate: "a=1" }), undefined);
});

Deno.test("a tracestate goes with its traceparent, unless it cannot be one", () => {
  const traceparent = `00-${traceId}-${spanId}-01`;
  for (
    const [tracestate, kept] of [
      ["a=1,b=2", true],
      ["a".repeat(512), true],
      ["a".repeat(513), false],
      ["a=1\nb=2", false],
      ["", false],
    ] as const
  ) {
    const context = parseTraceHeaders({ traceparent, tracestate })!;
    assertEquals(
      traceHeaders(context),
      kept ? { traceparent, tracestate } : { traceparent },
    );
  }
});
