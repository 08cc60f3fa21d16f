import { expect, test } from "vitest";
import { questionOf } from "./question";

test.each([
  ["AS64500", null, { of: "as", asn: 64500 }],
  ["192.0.2.0/24", null, { of: "prefix", prefix: "192.0.2.0/24", match: "exact" }],
  ["192.0.2.0/24", "covered", { of: "prefix", prefix: "192.0.2.0/24", match: "covered" }],
  ["192.0.2.0/24", "nonsense", { of: "prefix", prefix: "192.0.2.0/24", match: "exact" }],
  ["192.0.2.1", null, { of: "prefix", prefix: "192.0.2.1/32", match: "covering" }],
  ["2001:db8::1", null, { of: "prefix", prefix: "2001:db8::1/128", match: "covering" }],
  ["nl", null, null],
  ["a hospital", null, null],
])("%s with %s asks %o", (text, match, question) => expect(questionOf(text, match)).toEqual(question));
