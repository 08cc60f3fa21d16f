import type { Words } from "../i18n/en";
import { lowest } from "./metrics";
import { percent } from "./score";
import { type AsReadiness, CLASSES, type Period } from "./types";
import { periodWords, scoreWords } from "./words";

/** How many of its scores are of which class: `of its scores 2 ready, 1 lagging`. */
export function classesTold(actions: AsReadiness["actions"], w: Words): string {
  if (actions.length === 0) return w.readiness.rawOnly;
  const counts = CLASSES.map((one) => [one, actions.filter((action) => action.class === one).length] as const);
  return w.readiness.scoresCounted(counts.filter(([, count]) => count > 0).map(([one, count]) => w.readiness.inClass(count, one)).join(", "), actions.length);
}

/** The answer to "how ready is it", in a sentence. */
export function asSentence(one: AsReadiness, period: Period, w: Words): string {
  const low = lowest(one.actions);
  const name = `AS${one.asn}${one.name ? ` ${one.name}` : ""}`;
  const worst = low ? `${scoreWords(low.id, low.title, w)}, ${percent(low.score, w.locale)}` : null;
  return w.readiness.asSentence(name, periodWords(period, w), classesTold(one.actions, w), worst);
}
