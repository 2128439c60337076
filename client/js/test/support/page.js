// The chat page in Chromium.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { missing } from "./real_node.js";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
  .find(existsSync);
export const missingBrowser = missing || (executablePath ? false : "there is no Chromium");

/** For a node that serves the page, and keeps what the chat says. */
export const keys = {
  "gateway.page_file": fileURLToPath(new URL("../../../examples/chat.html", import.meta.url)),
  "history.size": "200",
  "history.ttl": "1h",
};

export async function launch(t) {
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  t.after(() => browser.close());
  return browser;
}

/** A tab in which `name` is in the lobby. */
export async function enter(browser, address, name, colorScheme = "light") {
  const context = await browser.newContext({ colorScheme, viewport: { width: 900, height: 600 } });
  const tab = await context.newPage();
  tab.setDefaultTimeout(60_000);
  const faults = [];
  tab.on("pageerror", (error) => faults.push(error.message));
  await tab.goto(`http://${address}/`);
  await tab.fill("#name", name);
  await tab.click("#entry button");
  await tab.waitForSelector("#state.online");

  const type = async (text) => {
    await tab.fill("#text", text);
    await tab.press("#text", "Enter");
  };
  // The room has shown it.
  const hears = (text) => tab.waitForFunction(
    (wanted) => [...document.querySelectorAll("#log li:not(.news):not(.pending)")]
      .some((row) => row.lastChild.textContent === wanted), text);
  const says = async (...texts) => {
    for (const text of texts) {
      await type(text);
      await hears(text);
    }
  };
  const news = () => tab.$$eval("#log .news", (all) => all.map((row) => row.innerText));
  const isTold = (text) => tab.waitForFunction(
    (wanted) => [...document.querySelectorAll("#log .news")]
      .some((row) => row.innerText === wanted), text);
  const shows = (state) => tab.waitForFunction(
    (wanted) => document.getElementById("state").textContent === wanted, state);
  const isLost = () => tab.waitForSelector("#state.waiting");
  const texts = () => tab.$$eval("#log li:not(.news)", (all) =>
    all.map((row) => row.lastChild.textContent));
  const picture = (what) =>
    tab.screenshot({ path: `${process.env.WSROUTER_BUILD_DIR}/chat-${what}.png` });
  return { tab, faults, type, hears, says, news, isTold, shows, isLost, texts, picture };
}

export const numbered = (first, last) =>
  Array.from({ length: last - first + 1 }, (_, i) => `number ${first + i}`);
export const gap = "Something may be missing here";
