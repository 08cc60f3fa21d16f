import { pathOf } from "../app/routes";

export interface Piece {
  text: string;
  /** Address of the page about it; null for words. */
  href: string | null;
}

const NAMED =
  /\bAS\d{1,10}\b|\b(?:\d{1,3}\.){3}\d{1,3}\/\d{1,2}\b|\b[0-9a-f]{1,4}:[0-9a-f:]*\/\d{1,3}\b|\bRW-\d{8}-[0-9a-f]{8}\b/g;

/** ASNs of an AS path, which stand there without letters. */
const IN_PATH = /\d{1,10}/g;

/**
 * Cuts a text where it names an AS, a prefix or an incident, each of which has a page. In an AS path
 * every number is an AS.
 */
export function piecesOf(text: string, isPath = false): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const found of text.matchAll(isPath ? IN_PATH : NAMED)) {
    if (found.index > at) pieces.push({ text: text.slice(at, found.index), href: null });
    pieces.push({ text: found[0], href: hrefOf(found[0]) });
    at = found.index + found[0].length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at), href: null });
  return pieces;
}

function hrefOf(name: string): string {
  if (/^\d+$/.test(name)) return pathOf({ page: "as", asn: Number(name) });
  if (name.startsWith("AS")) return pathOf({ page: "as", asn: Number(name.slice(2)) });
  if (name.startsWith("RW-")) return pathOf({ page: "incident", id: name });
  return pathOf({ page: "prefix", prefix: name });
}
