import type { Problem } from "../api/client";
import type { Words } from "../i18n/en";

/** What is said when something about users was refused: in the page's language where the code is known. */
export function refusal(problem: Problem, words: Words): string {
  if (problem.code === "network") return words.problem.network;
  return words.access.refusals[problem.code] ?? words.problem.other(problem.message, problem.code);
}
