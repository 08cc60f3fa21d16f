import { api } from "../api/client";
import type { History } from "../api/types";

/** Pages of a history that are read for one timeline: 1,000 rows. */
const PAGES_MAX = 5;

/** The history from its beginning; `next` is not null when there is more than is read. */
export async function wholeHistory(id: string, signal: AbortSignal): Promise<History> {
  const history = await api.history(id, null, signal);
  for (let pages = 1; history.next !== null && pages < PAGES_MAX; pages++) {
    const more = await api.history(id, history.next, signal);
    history.items.push(...more.items);
    history.next = more.next;
  }
  return history;
}
