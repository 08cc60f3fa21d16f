// An incident comes up, grows and ends while one looks: nobody reloads.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { firstUser, launch, play, windowOf } from "./service.mjs";

let service, browser, view;
before(async () => {
  // The 48 minutes before the hijack pass in ten seconds.
  service = await play("300");
  await firstUser(service);
  browser = await launch();
  view = await windowOf(browser, service.base);
});
after(async () => {
  await view?.close();
  await browser?.close();
  await service?.stop();
});

test("the list and the overview follow what is recorded", async () => {
  const { page, logIn } = view;
  await logIn("/incidents?kind=sub_prefix_hijack");
  await page.evaluate(() => (globalThis.sameDocument = true));
  const row = page.locator("tbody tr").filter({ hasText: "AS17557" });
  await row.waitFor();
  assert.match(await page.locator(".live").innerText(), /live/);
  await row.filter({ hasText: "ended" }).waitFor();
  assert.equal(await page.evaluate(() => globalThis.sameDocument), true);
});
