import { expect, test } from "vitest";
import { csv } from "./csv";

test("quotes, commas and formulas do no harm", () =>
  expect(csv(["a", "b"], [["x,y", 'say "z"'], ["=1+1", -3]])).toBe(
    'a,b\r\n"x,y","say ""z"""\r\n\'=1+1,-3\r\n',
  ));
