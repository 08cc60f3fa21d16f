import { expect, test } from "vitest";
import { piecesOf } from "./linked";

test("what has a page is linked, what stands between is kept", () => {
  const text = "AS64496 (A-B) announces 203.0.113.0/25, part of 2001:db8::/32; see RW-20080224-1a2b3c4d.";
  const pieces = piecesOf(text);
  expect(pieces.map((piece) => piece.text).join("")).toBe(text);
  expect(pieces.flatMap((piece) => piece.href ?? [])).toEqual([
    "/as/64496", "/prefix/203.0.113.0/25", "/prefix/2001:db8::/32", "/incidents/RW-20080224-1a2b3c4d",
  ]);
});

test.each(["", "nothing here", "BASE64 12:30 1/2 ASN"])("%j has no link", (text) =>
  expect(piecesOf(text).filter((piece) => piece.href)).toEqual([]));

test("in a path every number is an AS, sets and all", () => {
  const pieces = piecesOf("64511 {64498,64499}", true);
  expect(pieces.map((piece) => piece.text).join("")).toBe("64511 {64498,64499}");
  expect(pieces.flatMap((piece) => piece.href ?? [])).toEqual(["/as/64511", "/as/64498", "/as/64499"]);
});
