// The first run, logging in and out, tokens.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, NAME, PASSWORD, play, windowOf } from "./service.mjs";

let service, browser, view;
before(async () => {
  service = await play("max");
  browser = await launch();
  view = await windowOf(browser, service.base);
});
after(async () => {
  await view?.close();
  await browser?.close();
  await service?.stop();
});

test("before there is a user every address says where the link is", async () => {
  await view.page.goto(`${service.base}/incidents`);
  await view.page.getByRole("heading", { name: "The first user" }).waitFor();
  assert.match(await view.page.locator("main").innerText(), /journalctl -u routewarden/);
});

test("the link of the first run makes the first user, who is in", async () => {
  const { page } = view;
  await page.goto(service.link);
  await page.getByLabel("Name").fill(NAME);
  await page.getByLabel("New password").fill(PASSWORD);
  const make = page.getByRole("button", { name: "Make the first user" });
  assert.equal(await make.isDisabled(), true, "the password stands there once only");
  await page.getByLabel("The same again").fill(PASSWORD);
  await make.click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  assert.equal(new URL(page.url()).hash, "", "the token is not left in the address");
});

test("whoever logs out must log in again, and comes back to where they were", async () => {
  const { page } = view;
  await page.goto(`${service.base}/settings`);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.goto(`${service.base}/as/17557`);
  await page.getByLabel("Name").fill(NAME);
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("alert").getByText("is not known").waitFor();
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { level: 1, name: /^AS17557/ }).waitFor();
});

test("a token is shown once, and opens the API until it is revoked", async () => {
  const { page } = view;
  await page.goto(`${service.base}/settings/tokens`);
  await page.getByLabel("Used for").fill("a test");
  await page.getByRole("button", { name: "Make token" }).click();
  const token = await page.locator(".secret code").innerText();
  const headers = { authorization: `Bearer ${token}` };
  const ask = async () => (await fetch(`${service.base}/api/v1/feeds`, { headers })).status;
  assert.equal(await ask(), 200);
  page.once("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: /^Revoke ?: a test$/ }).click();
  await page.getByText("You have no token.").waitFor();
  assert.equal(await ask(), 401);
});

test("the audit log has what was done", async () => {
  const { page } = view;
  await page.goto(`${service.base}/settings/audit`);
  await page.locator("tbody th").first().waitFor();
  const verbs = await page.locator("tbody th").allInnerTexts();
  for (const verb of ["first user made", "log in", "log out", "token made", "token revoked"]) assert.ok(verbs.includes(verb), `${verb}: ${verbs}`);
});
