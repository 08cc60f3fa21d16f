/**
 * The server's time of day. It is not this computer's: clocks differ, and when an archive is played
 * through the service, its time is the archive's. Known from what the server says of itself.
 */
let ahead = 0;

/** Takes a time that was the server's present when it answered. */
export function heard(now: string): void {
  const time = Date.parse(now);
  if (Number.isFinite(time)) ahead = time - Date.now();
}

/** The server's present, in milliseconds since 1970. */
export function serverNow(): number {
  return Date.now() + ahead;
}
