import { expect, test } from "vitest";
import { covers, prefixBits } from "./prefix";

const covered = (whole: string, part: string) => {
  const [a, b] = [prefixBits(whole), prefixBits(part)];
  return a !== null && b !== null && covers(a, b);
};

test.each([
  ["208.65.152.0/22", "208.65.153.0/24", true],
  ["208.65.153.0/24", "208.65.153.128/25", true],
  ["208.65.153.0/24", "208.65.153.0/24", false],
  ["208.65.153.128/25", "208.65.153.0/24", false],
  ["208.65.153.0/25", "208.65.153.128/26", false],
  ["2001:db8::/32", "2001:db8:42::/48", true],
  ["2001:db8::/32", "2001:db9::/48", false],
  ["::/0", "2001:db8::/32", true],
  ["0.0.0.0/0", "2001:db8::/32", false],
])("%s covers %s: %s", (whole, part, answer) => expect(covered(whole, part)).toBe(answer));

test.each(["", "192.0.2.0", "192.0.2.256/24", "192.0.2.0/33", "2001:db8::1::/64", "2001:db8/32", "zz::/8", "1:2:3:4:5:6:7:8::/64"])(
  "%s is no prefix",
  (text) => expect(prefixBits(text)).toBeNull(),
);
