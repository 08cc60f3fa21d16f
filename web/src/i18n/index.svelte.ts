import { store, stored } from "../app/stored";
import { en, type Words } from "./en";

/**
 * The words of the pages, in the language chosen. A dictionary of our own, typed by the English
 * one: a missing or misnamed text does not compile. French is fetched only when chosen.
 */
const KEY = "routewarden.language";
export const LANGUAGES = { en: "English", fr: "Français" } as const;
export type Language = keyof typeof LANGUAGES;

class I18n {
  words: Words = $state.raw(en);
  language: Language = $state("en");

  /** The language kept in this browser, else the first of the browser's that we have. */
  async start(): Promise<void> {
    const wished = [stored(KEY), ...navigator.languages].map((tag) => tag?.slice(0, 2));
    const known = wished.find((tag): tag is Language => tag !== undefined && tag in LANGUAGES);
    await this.#use(known ?? "en");
  }

  async choose(language: Language): Promise<void> {
    await this.#use(language);
    store(KEY, language);
  }

  async #use(language: Language): Promise<void> {
    this.words = language === "fr" ? (await import("./fr")).fr : en;
    this.language = language;
    document.documentElement.lang = language;
  }
}

export const i18n = new I18n();

/** The name of a country by its two letters, in the language chosen; the letters when unknown. */
export function countryName(code: string, locale: string): string {
  try {
    return new Intl.DisplayNames([locale], { type: "region" }).of(code) ?? code;
  } catch {
    return code;
  }
}
