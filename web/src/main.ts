import { mount } from "svelte";
import App from "./App.svelte";
import { session } from "./access/session.svelte";
import { router } from "./app/router.svelte";
import { theme } from "./app/theme.svelte";
import { i18n } from "./i18n/index.svelte";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/print.css";

async function start(): Promise<void> {
  theme.start();
  await i18n.start();
  router.start();
  void session.start();
  const target = document.getElementById("app");
  if (target) mount(App, { target });
}

void start();
