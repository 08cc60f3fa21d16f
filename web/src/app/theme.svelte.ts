import { store, stored } from "./stored";

const KEY = "routewarden.theme";

export type Theme = "auto" | "light" | "dark";

function isTheme(value: string | null | undefined): value is Theme {
  return value === "auto" || value === "light" || value === "dark";
}

/** Light, dark, or as the system has it; kept in this browser only. */
class ThemeChoice {
  chosen: Theme = $state("auto");

  start(): void {
    const kept = stored(KEY);
    if (isTheme(kept)) this.set(kept);
  }

  set(theme: Theme): void {
    this.chosen = theme;
    if (theme === "auto") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.dataset["theme"] = theme;
    store(KEY, theme);
  }
}

export const theme = new ThemeChoice();
