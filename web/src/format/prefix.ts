/** A prefix as numbers: the address as an integer of 32 or 128 bits. */
export interface PrefixBits {
  width: 32 | 128;
  address: bigint;
  length: number;
}

/** Reads `192.0.2.0/24` or `2001:db8::/32`; null when it is neither. */
export function prefixBits(text: string): PrefixBits | null {
  const [address = "", length = ""] = text.split("/");
  const width = address.includes(":") ? 128 : 32;
  const bits = width === 128 ? v6(address) : v4(address);
  const long = /^\d{1,3}$/.test(length) ? Number(length) : Infinity;
  return bits === null || long > width ? null : { width, address: bits, length: long };
}

function v4(text: string): bigint | null {
  const parts = text.split(".");
  if (parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255)) return null;
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function v6(text: string): bigint | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const groups = halves.map((half) => half.split(":").filter(Boolean));
  const given = groups.flat();
  if (given.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return null;
  const missing = 8 - given.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const all = [...(groups[0] ?? []), ...Array<string>(halves.length === 2 ? missing : 0).fill("0"), ...(groups[1] ?? [])];
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

/** Whether the second is a part of the first, and longer. */
export function covers(whole: PrefixBits, part: PrefixBits): boolean {
  if (whole.width !== part.width || whole.length >= part.length) return false;
  const rest = BigInt(whole.width - whole.length);
  return whole.address >> rest === part.address >> rest;
}
