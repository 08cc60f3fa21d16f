import { type By, BYS } from "../readiness/types";

/**
 * The addresses of the pages, both ways.
 *
 * Ours and not a library's: a prefix has a slash in it (`/prefix/192.0.2.0/24`), which the
 * patterns of routers take for two parts, and there are a dozen pages.
 */
export const SECTIONS = ["account", "tokens", "users", "audit"] as const;
export type Section = (typeof SECTIONS)[number];

export type Route =
  | { page: "overview" }
  | { page: "incidents" }
  | { page: "incident"; id: string }
  | { page: "as"; asn: number }
  | { page: "prefix"; prefix: string }
  | { page: "country"; code: string }
  | { page: "table" }
  | { page: "readiness" }
  | { page: "readiness-group"; by: By; id: string }
  | { page: "readiness-as"; asn: number }
  | { page: "readiness-compare" }
  | { page: "feeds" }
  | { page: "settings"; section: Section }
  | { page: "setup" }
  | { page: "missing" };

const ASN_MAX = 4_294_967_295;

/** The page that a path names; `missing` when it names none. */
export function routeOf(path: string): Route {
  const [head = "", ...rest] = decoded(path).split("/").filter(Boolean);
  const tail = rest.join("/");
  if (head === "" && tail === "") return { page: "overview" };
  if (tail === "") {
    if (head === "incidents" || head === "table" || head === "readiness" || head === "feeds" || head === "setup") return { page: head };
    if (head === "settings") return { page: "settings", section: "account" };
    return { page: "missing" };
  }
  if (head === "incidents" && /^RW-\d{8}-[0-9a-f]{8}$/.test(tail)) return { page: "incident", id: tail };
  if (head === "as") return asRoute(tail);
  if (head === "readiness") return readinessRoute(rest);
  if (head === "prefix" && /^[0-9a-f.:]+\/\d{1,3}$/i.test(tail)) {
    return { page: "prefix", prefix: tail.toLowerCase() };
  }
  if (head === "country" && /^[a-z]{2}$/i.test(tail)) return { page: "country", code: tail.toUpperCase() };
  const section = SECTIONS.find((one) => one === tail);
  if (head === "settings" && section) return { page: "settings", section };
  return { page: "missing" };
}

function asRoute(text: string): Route {
  const digits = /^(?:as)?(\d{1,10})$/i.exec(text)?.[1];
  const asn = Number(digits);
  return digits && asn <= ASN_MAX ? { page: "as", asn } : { page: "missing" };
}

function readinessRoute([head = "", ...rest]: string[]): Route {
  const id = rest.join("/");
  if (head === "compare" && id === "") return { page: "readiness-compare" };
  if (head === "as") {
    const as = asRoute(id);
    return as.page === "as" ? { page: "readiness-as", asn: as.asn } : as;
  }
  const by = BYS.find((one) => one === head);
  return by && id !== "" ? { page: "readiness-group", by, id: by === "country" ? id.toUpperCase() : id } : { page: "missing" };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The path of a page. */
export function pathOf(route: Route): string {
  switch (route.page) {
    case "overview":
    case "missing":
      return "/";
    case "incident":
      return `/incidents/${route.id}`;
    case "as":
      return `/as/${route.asn}`;
    case "prefix":
      return `/prefix/${route.prefix}`;
    case "country":
      return `/country/${route.code}`;
    case "readiness-group":
      return `/readiness/${route.by}/${encodeURIComponent(route.id)}`;
    case "readiness-as":
      return `/readiness/as/${route.asn}`;
    case "readiness-compare":
      return "/readiness/compare";
    case "settings":
      return `/settings/${route.section}`;
    default:
      return `/${route.page}`;
  }
}

/**
 * Where a text typed into the search box leads: an incident's id, an ASN, a prefix, an address
 * (as a host prefix), a country's two letters. Null when it is none of these.
 */
export function destinationOf(text: string): string | null {
  const typed = text.trim();
  if (/^RW-\d{8}-[0-9a-f]{8}$/i.test(typed)) {
    return pathOf({ page: "incident", id: `RW-${typed.slice(3).toLowerCase()}` });
  }
  const as = asRoute(typed);
  if (as.page === "as") return pathOf(as);
  if (/^[0-9a-f.:]+\/\d{1,3}$/i.test(typed) && /[.:]/.test(typed)) {
    return pathOf({ page: "prefix", prefix: typed.toLowerCase() });
  }
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(typed)) return pathOf({ page: "prefix", prefix: `${typed}/32` });
  if (/^[0-9a-f:]*:[0-9a-f:.]*$/i.test(typed)) {
    return pathOf({ page: "prefix", prefix: `${typed.toLowerCase()}/128` });
  }
  if (/^[a-z]{2}$/i.test(typed)) return pathOf({ page: "country", code: typed.toUpperCase() });
  return null;
}
